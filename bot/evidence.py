"""How sure one may be: the label of the weakest kind of evidence that an answer rests on, never written by hand."""

from collections.abc import Callable, Sequence

from bot.content import FactEntry

_OTHER_DESIGNS = ("controlled-observational", "registry-cohort")

# Weakest first. A fact is of the first kind that it matches; an answer is labelled by the weakest of its facts.
_KINDS: tuple[tuple[str, Callable[[FactEntry], bool]], ...] = (
    ("clinic", lambda fact: fact.strength == "clinic"),
    ("press", lambda fact: fact.kind in ("news", "company-statement", "expert-opinion", "inference", "myth")),
    ("animal", lambda fact: fact.strength == "animal" or fact.population == "animal"),
    ("laboratory", lambda fact: fact.population == "in-vitro"),
    ("case", lambda fact: fact.kind == "case-report"),
    ("ten_people", lambda fact: False),  # the one study of Muse cells in spinal cord injury: facts.yml says which
    ("uncontrolled", lambda fact: fact.strength == "uncontrolled-trial" and fact.kind not in _OTHER_DESIGNS),
    ("compared", lambda fact: fact.kind == "controlled-observational"),
    ("cohort", lambda fact: fact.kind == "registry-cohort"),
    ("review", lambda fact: fact.strength == "review"),
    ("trial", lambda fact: fact.strength == "rct"),
    ("guideline", lambda fact: True),
)
KINDS = tuple(name for name, _ in _KINDS)


def evidence_of(fact: FactEntry) -> str:
    """The kind of evidence behind a fact, as a key of the `evidence_...` phrases."""
    return fact.label or next(name for name, matches in _KINDS if matches(fact))


def weakest_evidence(facts: Sequence[FactEntry]) -> str:
    """The weakest kind of evidence among `facts`; those about laws, products or offices say nothing of an effect."""
    found = {evidence_of(fact) for fact in facts if fact.population != "n/a"} or {evidence_of(fact) for fact in facts}
    # "One study of 10 people" would hide that there were others, such as the one in ALS.
    if found >= {"ten_people", "uncontrolled"}:
        found.remove("ten_people")
    return min(found, key=KINDS.index)
