"""Writes tests/data/oracle.json: numbers and the verdict of python-stdnum, an independent implementation.

Regenerate:  python3 -m venv /tmp/v && /tmp/v/bin/pip install python-stdnum && /tmp/v/bin/python tests/oracle.py
The seed is fixed, so the same version of python-stdnum writes the same file.

Resident identity numbers all carry the order code 000, which is never given: none is a real person's.
Where python-stdnum judges by year and we by edition of the table and with some grace, births stay clear of both.
It also refuses a code younger than the birth; such numbers exist (given late), so none is written here.
It knows no letter among the first eight symbols of a social credit code; A, N and Y occur, but not here.
"""

import json
import pathlib
import random

from stdnum import damm, numdb
from stdnum.cn import ric, uscc

HERE = pathlib.Path(__file__).parent
SYMBOLS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
DISPUTED = ("3325", "3328")  # where its table has 丽水 and ours 温州 and 丽水, as their people's numbers do
draw = random.Random(11643)


def county(code):
    """First and last year of birth that surely fit a code, and the year it ended; None if the oracle lacks it."""
    info = {k: v for _, found in numdb.get("cn/loc").info(code) for k, v in found.items()}
    if "county" not in info or "," in info["county"]:
        return None
    if not info["county"].startswith("["):
        return 1930, 2025, None
    first, last = info["county"][1:].split("]")[0].split("-")
    return int(first or 1928) + 2, int(last or 2027) - 2, int(last) if last else None


def resident_id(code, year):
    month, day = draw.randint(1, 12), draw.randint(1, 28)
    number = f"{code}{year}{month:02}{day:02}000"
    return number + ric.calc_check_digit(number + "0")


def verdict(number):
    try:
        return ric.is_valid(number)
    except KeyError:  # a known province without that county: the oracle stumbles instead of refusing
        return False


def spoil(number, alphabet):
    """The number with one symbol changed, or two neighbours swapped."""
    at = draw.randrange(len(number) - 1)
    if draw.random() < 0.5:
        return number[:at] + draw.choice(alphabet) + number[at + 1 :]
    return number[:at] + number[at + 1] + number[at] + number[at + 2 :]


def resident_ids():
    known = [line.split(",")[0] for line in (HERE / "../data/regions_yrd.csv").read_text().splitlines()[1:]]
    elsewhere = ["110101", "130102", "350102", "440305", "510107", "650102", "230103", "420106", "610113", "540102"]
    known = [code for code in known if not code.startswith(DISPUTED)]
    for code in draw.sample(known, 260) + elsewhere * 4:
        first, last, ended = county(code) or (1, 0, None)
        if first <= last:
            number = resident_id(code, draw.randint(first, last))
            yield number
            yield spoil(number, "0123456789")
        if ended and ended < 2015:  # born after the code was gone
            yield resident_id(code, draw.randint(ended + 9, 2025))
    for code in ("310198", "320199", "339999", "340198", "990101", "160101"):
        yield resident_id(code, 1990)
    for date in ("19000229", "20230229", "19991301", "19990431", "19990100"):
        number = f"110105{date}000"
        yield number + ric.calc_check_digit(number + "0")


def organisation(body):
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    check = 11 - sum(w * int(c, 36) for w, c in zip(weights, body)) % 11
    return "X" if check == 10 else "0" if check == 11 else str(check)


def social_credit_codes():
    """(code, verdict of the oracle, verdict with the organisation code's own check, which the oracle does not know)"""
    for _ in range(150):
        head = draw.choice("159") + draw.choice("1239") + draw.choice(("310000", "320100", "110105", "100000"))
        body = "".join(draw.choice(SYMBOLS) for _ in range(8))
        right = organisation(body)
        wrong = draw.choice([c for c in "0123456789X" if c != right])
        for check in (right, wrong):
            front = head + body + check
            code = front + uscc.calc_check_digit(front)
            yield code, uscc.is_valid(code), check == right
            bad = spoil(code, SYMBOLS)
            if bad != code:
                yield bad, uscc.is_valid(bad), organisation(bad[8:16]) == bad[16]


def main():
    numbers = sorted(set(resident_ids()))
    learners = [f"{draw.randrange(1, 10**15):015}" for _ in range(200)]
    data = {
        "resident_id": [[n, verdict(n)] for n in numbers],
        "social_credit": [list(row) for row in social_credit_codes()],
        "learner_code": [n + damm.calc_check_digit(n) for n in learners],
    }
    lines = ",\n".join(
        f'"{kind}": [\n' + ",\n".join(json.dumps(row) for row in rows) + "\n]" for kind, rows in data.items()
    )
    (HERE / "data/oracle.json").write_text("{\n" + lines + "\n}\n")


main()
