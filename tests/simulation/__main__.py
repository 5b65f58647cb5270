"""`python -m tests.simulation --seed N --schedules K`: play schedules and say what came of them."""

import argparse
import sys
import time

from tests.simulation.campaign import failure_among


def main() -> int:
    """Return 1 where a schedule fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seed", type=int, default=0, help="first seed")
    parser.add_argument("--schedules", type=int, default=1, help="how many seeds from there on")
    asked = parser.parse_args()
    started_s = time.perf_counter()
    failure = failure_among(seed=asked.seed, schedules=asked.schedules)
    took_s = time.perf_counter() - started_s
    if failure is not None:
        sys.stdout.write(f"{failure}\n")
        return 1
    sys.stdout.write(f"{asked.schedules} schedules from seed {asked.seed}: {took_s:.1f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
