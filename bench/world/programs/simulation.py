"""What simulation.go measures, with SimPy: a process is a generator."""

import json
import sys
import time

from SimPy.Simulation import Process, activate, hold, initialize, simulate

VISITS, PLACES, MASK = 10, 1000, 2**64 - 1
n = int(sys.argv[1])
been = [0] * PLACES
total = 0


class Entity(Process):
    def live(self, who):
        global total
        own, wealth = who, 0
        for _ in range(VISITS):
            own = (own * 6364136223846793005 + 1442695040888963407) & MASK
            yield hold, self, own >> 24
            place = (own >> 20) % PLACES
            been[place] += 1
            wealth = (wealth * 31 + been[place]) & MASK
        total += wealth & (2**32 - 1)


begin, used = time.perf_counter(), time.process_time()
initialize()
for who in range(n // VISITS):
    e = Entity()
    activate(e, e.live(who))
simulate(until=2**53)
wall, processor = time.perf_counter() - begin, time.process_time() - used
with open("/proc/self/status") as status:
    memory = next(int(s.split()[1]) for s in status if s.startswith("VmHWM"))
print(json.dumps({"N": n, "Wall": wall, "Processor": processor, "Memory": memory / 1024, "Check": str(total)}))
