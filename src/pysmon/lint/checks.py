"""All checks by code: L1 one condition, L2 several, L3 rules, L4 evasion, L5 platforms, L6 cost, L7 names."""

from __future__ import annotations

from collections.abc import Mapping

from pysmon.lint import combinations, cost, evasion, names, platforms, redundant, spelling, values
from pysmon.lint.check import Check

_FAMILIES = (
    values.CHECKS,
    spelling.CHECKS,
    combinations.CHECKS,
    redundant.CHECKS,
    evasion.CHECKS,
    platforms.CHECKS,
    cost.CHECKS,
    names.CHECKS,
)

CHECKS: Mapping[str, Check] = {check.code: check for family in _FAMILIES for check in family}
