// One of many: goes to the well and home again.
const [homeX, homeY] = position();

for (;;) {
    moveTo(10, 10);
    wait(1 + random(4));
    moveTo(homeX, homeY);
    wait(1 + random(9));
}
