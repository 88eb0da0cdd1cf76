// Sells one lamp. ask returns what the player answers, however long that takes.
let price = 10;

say("lamps, fine lamps");
for (;;) {
    const answer = ask(`a lamp for ${price} coins?`);
    if (answer === "yes") {
        break;
    }
    if (answer === "thief") {
        throw new Error("insulted");
    }
    if (price > 7) {
        price--;
    } else {
        say("then not");
        wait(10);
    }
}
say(`sold for ${price}`);
