"""Counts the figures of a year from what was done, with sets, and finds them in the CSV of the bank.

recount.py EVENTS.ndjson YEAR FIGURES.csv     (CSV in English: of `stats show`, or of a published yearbook)

In a yearbook figures may be suppressed; those that fewer than five people are behind must be, and every other figure must
be right. It shares no code with the bank and does not work like it: nothing is added up by archive or by increment.
"""

import csv
import json
import sys
from collections import defaultdict
from decimal import Decimal

SMALL = 5
BANDS = [(18, 1), (35, 2), (50, 3), (60, 4), (70, 5), (80, 6)]


def band(born, year):
    if born is None:
        return 0
    return next((number for below, number in BANDS if year - born < below), 7)


class Bank:
    """What there is after all events."""

    def __init__(self, lines):
        self.born, self.sex, self.into = {}, {}, {}
        self.records, self.applications, self.appeals = {}, {}, []
        for line in lines:
            it = json.loads(line)
            if "enrol" in it:
                self.born[it["enrol"]] = it.get("born")
                self.sex[it["enrol"]] = {None: 0, "male": 1, "female": 2}[it.get("sex")]
            elif "record" in it:
                if "amends" in it:
                    del self.records[it["amends"]]
                self.records[it["record"]] = it
            elif "revoke" in it:
                del self.records[it["revoke"]]
            elif "merge" in it:
                self.into[it["merge"]] = it["into"]
            elif "application" in it:
                self.applications[it["application"]] = it
            elif "reversal" in it:
                self.applications[it["reversal"]]["granted"] = None
            elif "appeal" in it:
                self.appeals.append(self.applications[it["appeal"]])
            else:
                raise ValueError(it)

    def person(self, learner):
        while learner in self.into:
            learner = self.into[learner]
        return learner


def tables(bank, year):
    """For each cell who is in it, its sums, and who is behind each of them."""
    people = defaultdict(set)
    sums = defaultdict(Decimal)
    behind = defaultdict(set)

    def count(subject, table, values, who, measures, rest):
        key = (subject, table, *values)
        people[key].add(who)
        for measure, amount in measures.items():
            if amount:
                sums[*key, measure] += amount
                behind[*key, measure].add(who)
        if rest:
            behind[*key, "rest"].add(who)

    first = {}
    for it in bank.records.values():
        who, on = bank.person(it["learner"]), int(it["on"][:4])
        first[who] = min(first.get(who, on), on)
    for it in bank.records.values():
        if int(it["on"][:4]) != year:
            continue
        who, month = bank.person(it["learner"]), int(it["on"][5:7])
        age, sex = band(bank.born[who], year), bank.sex[who]
        category, district, school = it["category"], it["district"], it["institution"]
        measures = {
            "Attendances": 1,
            "Completions": int(it["passed"]),
            "Hours": Decimal(it["hours"]) / 100,
            "Credits": Decimal(it["credits"]) / 100,
        }
        for table, values in {
            "total": ("", ""),
            "month": (month, ""),
            "category": (category, ""),
            "district": (district, ""),
            "institution": (district, school),
            "age": (age, ""),
            "sex": (sex, ""),
            "tenure": (1 if first[who] == year else 2, ""),
            "month-category": (month, category),
            "category-district": (category, district),
            "category-age": (category, age),
            "age-sex": (age, sex),
        }.items():
            count("Learning", table, values, who, measures, not it["passed"])

    def recognised(it, measures, rest=False):
        if int(it["on"][:4]) != year:
            return
        who, month = bank.person(it["learner"]), int(it["on"][5:7])
        for table, value in {
            "total": "",
            "month": month,
            "age": band(bank.born[who], year),
            "sex": bank.sex[who],
        }.items():
            count("Recognition", table, (value, ""), who, measures, rest)
        if "Decisions" in measures:
            count("Recognition", "days", (it["days"], ""), who, measures, rest)

    for it in bank.applications.values():
        recognised(it, {"Applications": 1})
        if it["granted"] is not None:
            recognised(it, {"Decisions": 1, "Conversions": int(it["granted"])}, not it["granted"])
    for it in bank.appeals:
        recognised(it, {"Appeals": 1})
    return people, sums, behind


FIRST = {"Learning": "Learners", "Recognition": "People concerned"}
PART = {"Learning": "Completions", "Recognition": "Conversions"}


def main(events, year, path):
    with open(events, encoding="utf-8") as file:
        people, sums, behind = tables(Bank(file), int(year))
    expected, few = {}, set()
    for key, who in people.items():
        expected[*key, FIRST[key[0]]] = Decimal(len(who))
        if len(who) < SMALL:
            few.add((*key, FIRST[key[0]]))
    for key, amount in sums.items():
        expected[key] = amount
    for key, who in behind.items():
        if 0 < len(who) < SMALL:
            few.add((*key[:-1], PART[key[0]]) if key[-1] == "rest" else key)

    with open(path, encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    is_published = any(line["note"] == "suppressed" or line["measure"].startswith("SHA-256") for line in lines)
    subjects = {line["subject"] for line in lines}
    suppressed = 0
    seen = set()
    for line in lines:
        if line["table"] in ("about", "participation"):
            continue
        if is_published and line["table"] == "days":
            continue
        dimensions = len([name for name in (line["group_1"], line["group_2"]) if name])
        values = [int(line["code_1"]) if dimensions > 0 else "", ""]
        if dimensions > 1:
            values[1] = line["group_2"] if line["table"] == "institution" else int(line["code_2"])
        key = (line["subject"], line["table"], *values, line["measure"])
        assert key not in seen, f"{key} twice"
        seen.add(key)
        if line["note"] == "suppressed":
            assert line["value"] == ""
            suppressed += 1
            continue
        assert not (is_published and key in few), f"{key} is of few and published"
        assert Decimal(line["value"]) == expected.get(key, 0), f"{key}: {line['value']}, not {expected.get(key, 0)}"
    for key, amount in expected.items():
        if is_published and (key[0] not in subjects or key[1] == "days"):
            continue
        assert key in seen or amount == 0, f"{key} is missing: {amount}"
    if is_published:
        assert "Learning" in subjects, "nothing is published"
    print(f"{len(seen)} figures, {suppressed} suppressed, {len(few)} of few: all counted again")


main(*sys.argv[1:])
