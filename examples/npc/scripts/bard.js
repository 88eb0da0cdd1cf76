// Sings. The song is a generator, and what waits is a callback of forEach: the
// script waits in the middle of the engine's own functions.
function* song() {
    yield "the moon was high";
    yield "the road was long";
    wait(2);
    yield "and no one came along";
}

Array.from(song()).forEach((line, i) => {
    say(`${i + 1}. ${line}`);
    wait(3);
});
if (ask("a coin for the song?") !== "no") {
    say("thank you");
}
