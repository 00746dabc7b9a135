"""Trains the zstd dictionary of the store: train.py NDJSON OUT. Needs `pip install zstandard`."""

import json
import random
import sys

import zstandard

SIZE = 32 * 1024
LONGEST = 8_000


def main() -> None:
    lines = [line.rstrip(b"\n") for line in open(sys.argv[1], "rb")]
    by_type: dict[str, list[bytes]] = {}
    for line in lines:
        by_type.setdefault(json.loads(line)["resourceType"], []).append(line)
    random.seed(1)
    samples: list[bytes] = []
    for kind, found in by_type.items():
        random.shuffle(found)
        short = [line for line in found if len(line) < LONGEST]
        samples += short[: 700 if kind == "Observation" else 150]
    dictionary = zstandard.train_dictionary(SIZE, samples)
    with open(sys.argv[2], "wb") as file:
        file.write(dictionary.as_bytes())
    print(f"{len(samples)} samples, dictionary id {dictionary.dict_id()}")


main()
