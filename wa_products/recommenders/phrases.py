"""Plain words for numbers of days, for the sentences that say why."""

from __future__ import annotations

IRREGULAR = 0.75


def days(number: float) -> str:
    """
    Return a count of days in words.

    >>> days(1.2), days(28.4)
    ('1 day', '28 days')
    """
    whole = round(number)
    return "1 day" if whole == 1 else f"{whole:,} days"


def ago(number: float) -> str:
    """
    Return how long ago in whole days; less than one day is today.

    >>> ago(0.4), ago(1.9), ago(25.0)
    ('today', 'yesterday', '25 days ago')
    """
    whole = int(number)
    return {0: "today", 1: "yesterday"}.get(whole, f"{whole:,} days ago")


def every(gap: float, spread: float) -> str:
    """
    Return a typical gap in days with its spread, the standard deviation of the gap's logarithm.

    >>> every(28, 0.15), every(9, 1.1), every(1, 0.2)
    ('every 28 days, give or take 4', 'about every 9 days, irregularly', 'every day')
    """
    whole = max(round(gap), 1)
    unit = "day" if whole == 1 else f"{whole:,} days"
    if spread >= IRREGULAR:
        return f"about every {unit}, irregularly"
    give = round(gap * spread)
    return f"every {unit}, give or take {give:,}" if give else f"every {unit}"


def due(days_left: float) -> str:
    """
    Return when something is due, from now.

    >>> due(3.2), due(-0.3), due(-6.0)
    ('due in 3 days', 'due now', 'due 6 days ago')
    """
    whole = round(days_left)
    if whole == 0:
        return "due now"
    return f"due in {days(whole)}" if whole > 0 else f"due {days(-whole)} ago"


def reorder(times: float, since: float, held: float, gap: float, spread: float) -> str:
    """
    Return why a product bought `times` times is due: its gap, the last purchase, the days left.

    >>> reorder(9, 25.2, 249.0, 28.0, 0.15)
    'every 28 days, give or take 4; last bought 25 days ago; due in 3 days'
    >>> reorder(1, 40.0, 40.0, 30.0, 0.4)
    'bought once, 40 days ago; customers who buy it again do so after about 30 days'
    """
    if times == 1:
        return f"bought once, {ago(since)}; customers who buy it again do so after about {days(gap)}"
    left = due(gap - since)
    if times == 2:  # noqa: PLR2004  # two purchases have one gap, which says more than a mean
        return f"bought twice, {days(held - since)} apart; last bought {ago(since)}; {left}"
    return f"{every(gap, spread)}; last bought {ago(since)}; {left}"


def popular(buyers: int, within: int) -> str:
    """
    Return how many customers bought a product in the last `within` days.

    >>> popular(1204, 28)
    'popular: 1,204 customers bought it in the last 28 days; this customer never did'
    """
    who = "1 customer" if buyers == 1 else f"{buyers:,} customers"
    return f"popular: {who} bought it in the last {within} days; this customer never did"


def together(title: str, both: int, times: int) -> str:
    """
    Return with which of the customer's latest purchases others buy a product.

    >>> together("Assam tea", 34, 120)
    'bought together with Assam tea: 34 of 120 orders of it hold this too; this customer never did'
    """
    return f"bought together with {title}: {both:,} of {times:,} orders of it hold this too; this customer never did"


def cases(came: int, checked: int, within: int) -> str:
    """
    Return how often proposals as probable as this one came true.

    >>> cases(84, 200, 14)
    '84 of 200 customers like this bought within 14 days'
    """
    return f"{came:,} of {checked:,} customers like this bought within {days(within)}"
