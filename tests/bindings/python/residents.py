"""Invented residents of one grid, as `import-people` reads them; nobody in here exists."""

import json
import uuid

SURNAMES = "王李张刘陈杨赵黄周吴"
NAMES = ["秀英", "建国", "桂兰", "志强", "淑珍", "海燕"]
SPACE = uuid.UUID("0a4a8f0e-7b0c-5f0e-9c55-6f3c1f9d2b11")


def identity_number(region, birth, order):
    """Returns an identity number with the right check digit (GB 11643)."""
    number = f"{region}{birth.replace('-', '')}{order:03d}"
    weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
    total = sum(weight * int(digit) for weight, digit in zip(weights, number))
    return number + "10X98765432"[total % 11]


def person(household, place):
    """Returns the person in that place of a household: number 0 is its head."""
    index = household * 2 + place
    surname = SURNAMES[index % len(SURNAMES)]
    birth = f"{1940 + index % 60}-{1 + index % 12:02d}-{1 + index % 28:02d}"
    return {
        "id": str(uuid.uuid5(SPACE, f"person {index}")),
        "name": f"{surname}{NAMES[index % len(NAMES)]}{index}",
        "relation": "head" if place == 0 else "spouse",
        "sex": "male" if index % 2 else "female",
        "birth": birth,
        "phone": f"154{index:08d}",
        "id_number": identity_number("610402", birth, 100 + index),
        "tags": {"lives-alone": {"proof": "社区证明"}} if place == 0 and household % 5 == 0 else {},
    }


def household(number, grid):
    """Returns the line of one household."""
    room = {"compound": "试点小区", "building": str(1 + number // 20), "unit": str(1 + number % 2)}
    return {
        "grid": grid,
        "household": {
            "id": str(uuid.uuid5(SPACE, f"household {number}")),
            "place": {**room, "room": f"{1 + number % 20:02d}01"},
            "tenure": "own" if number % 3 else "rent",
            "registration": "here",
        },
        "people": [person(number, place) for place in range(2)],
    }


def write(path, grid, count):
    """Writes the households of a grid, one a line."""
    with open(path, "w", encoding="utf-8") as file:
        for number in range(count):
            file.write(json.dumps(household(number, grid), ensure_ascii=False) + "\n")
