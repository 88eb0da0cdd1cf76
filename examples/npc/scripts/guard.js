// Walks his round for ever. moveTo returns when he has arrived.
const posts = [[0, 0], [4, 0], [4, 2]];

for (;;) {
    for (const [x, y] of posts) {
        moveTo(x, y);
        say(`all quiet at ${x}, ${y}`);
        wait(6);
    }
}
