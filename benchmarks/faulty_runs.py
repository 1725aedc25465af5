"""One seeded run of a campaign among faults, kills and second senders, and whether it kept every promise."""

import os
import random
import signal
import time
import traceback
import warnings
from dataclasses import dataclass, field
from functools import partial

import httpx
import naive
import pandas as pd
from cloud import TAKEN, statuses
from planned import SETTINGS, plan

from wa_products import client as client_module
from wa_products import windows
from wa_products.campaigns import send
from wa_products.client import Client
from wa_products.ledger import Ledger
from wa_products.transports import Fast

ROUNDS, PATIENCE = 12, 120
STOPPED, INTERRUPTED = 3, 130
# How often each fault is among the faults; those that make a sender pause for seconds are rare, to save time.
FAULTS = {
    **dict.fromkeys([name for name in TAKEN if name not in ("ok", "stalled")], 6),
    **dict.fromkeys(["early reset", "gateway"], 6),
    **dict.fromkeys([131026, 131047, 131009, 100, 999_999], 4),
    **dict.fromkeys([131056, 131000], 2),
    **dict.fromkeys(["stalled", "down", 130429, 190], 1),
    **dict.fromkeys(["busy", 131016], 0.3),
}


@dataclass(frozen=True)
class Act:
    """Some senders at once, and what befalls the first of them, and when: at a request, or seconds after its start."""

    senders: int
    what: str
    at_request: int
    seconds: float


@dataclass
class Script:
    """All that chance decides about a run."""

    size: int
    holdout: float
    closes_in: list[float]
    orders: list
    acts: list[Act]
    fast: bool
    chance: random.Random = field(repr=False)

    @classmethod
    def of(cls, seed, run):
        """Return the script of the n-th run of a seed, the same every time."""
        chance = random.Random(f"{seed}:{run}")
        size, share = chance.randint(20, 60), chance.choice([0.05, 0.15, 0.4])
        kinds, weights = list(FAULTS), list(FAULTS.values())
        orders = [chance.choices(kinds, weights)[0] if chance.random() < share else "ok" for _ in range(2 * size)]
        return cls(
            size,
            chance.choice([0.0, 0.0, 0.2]),
            [_closes_in(chance) for _ in range(size)],
            orders,
            [_act(chance, size) for _ in range(chance.choice([0, 1, 1, 2, 3]))],
            chance.random() < 0.5,
            chance,
        )


def _closes_in(chance):
    """Return in how many seconds a window closes: mostly hours, or too soon to send, or while the run goes on."""
    margin = windows.MARGIN.total_seconds()
    return chance.choices([72_000, chance.uniform(-60, 3), margin + chance.uniform(0, 3)], [7, 1, 2])[0]


def _act(chance, size):
    what = chance.choices(["kill", "freeze", "interrupt"], [6, 1, 1])[0]
    at_request = chance.randint(1, size) if chance.random() < 0.6 else 0
    return Act(chance.choice([1, 1, 2]), what, at_request, chance.uniform(0.02, 1.0))


def play(script, cloud, ledger_url, naive_path=None):
    """
    Play a run; return its verdict: what must be 0, and what is good to know.

    With `naive_path` the naive sender plays instead, whose marks are kept there.
    """
    now = pd.Timestamp.now("UTC").floor("ms")
    closes_at = [now + pd.Timedelta(seconds=seconds) for seconds in script.closes_in]
    made = plan(script.size, now=now, holdout=0.0 if naive_path else script.holdout, closes_at=closes_at)
    marks = [sum(act.at_request for act in script.acts[: n + 1]) for n in range(len(script.acts))]
    url = cloud.open(orders=script.orders, ledger=ledger_url, marks=marks)
    if naive_path:
        sender = partial(_naive, made, naive_path, url)
    else:
        sender = partial(_send, made, ledger_url, url, fast=script.fast)
    codes = [code for act in script.acts for code in _perform(act, sender, cloud)]
    for left in range(ROUNDS, -1, -1):
        last = _wait([_fork(sender) for _ in range(script.chance.choice([1, 2]) if left == ROUNDS else 1)])
        codes += last
        if not any(last):
            break
    verdict = {"kills": sum(act.what == "kill" for act in script.acts), "unended": int(any(last))}
    verdict["hung"] = codes.count(-signal.SIGABRT)
    verdict["crashed"] = sum(code not in (0, STOPPED, INTERRUPTED, -signal.SIGKILL, -signal.SIGABRT) for code in codes)
    if naive_path:
        return verdict | _by_the_server(made, cloud.close())
    return verdict | _ledger_and_server(script, made, ledger_url, cloud, sender)


def _ledger_and_server(script, made, ledger_url, cloud, sender):
    """Read the ledger, let it listen to every webhook, read it again, send once more; compare all with the server."""
    with Ledger(ledger_url) as ledger:
        before = ledger.rows("c1")
        taken = cloud.memory()["taken"]
        ledger.store(_webhooks(script.chance, taken))
        after = ledger.rows("c1")
    again = _wait([_fork(sender)])
    memory = cloud.close()
    return _by_the_ledger(made, before, after, taken) | _by_the_server(made, memory) | {"again": sum(map(bool, again))}


def _by_the_ledger(made, before, after, taken):
    by_send = {send_id: (to, wamid) for send_id, wamid, to, _ in taken}
    held = set(made.rows["customer_id"][made.arms == "holdout"])
    address = dict(zip(made.rows["customer_id"], made.rows["to"], strict=True))
    left_out = (before["outcome"] == "") | before["details"].str.contains("the run was stopped")
    accepted = after[after["outcome"] == "accepted"]
    told = {row.send_id: (address[row.customer_id], row.wamid) for row in accepted.itertuples()}
    return {
        "lost": int(left_out.sum()) + len(address) - len(before) + len(set(by_send) - set(after["send_id"])),
        "unsettled": int((after["send_id"].isin(by_send) & (after["outcome"] == "unknown")).sum()),
        "wrong": len(set(told.items()) ^ set(by_send.items()))
        + int((before["customer_id"].isin(held) != (before["outcome"] == "held out")).sum()),
        "unknown": int((before["outcome"] == "unknown").sum()),
        "for a person": int((after["outcome"] == "unknown").sum()),
        "closed": int((after["outcome"] == "window closed").sum()),
    }


def _by_the_server(made, memory):
    taken = memory["taken"]
    closes = {to: at.timestamp() for to, at in zip(made.rows["to"], made.rows["closes_at"], strict=True)}
    past = [at - closes[to] for _, _, to, at in taken]
    return {
        "planned": len(made),
        "requests": memory["requests"],
        "messages": len(taken),
        "doubles": len(taken) - len({to for _, _, to, _ in taken}),
        "late": sum(seconds > 0 for seconds in past),
        "nearest": max(past, default=-72_000),
    }


def _webhooks(chance, taken):
    """Return the statuses of all that was taken: shuffled, some twice, in bodies of several."""
    told = [(one, name) for one in taken for name in chance.sample(["sent", "delivered", "read", "failed"], 2)]
    told += chance.sample(told, len(told) // 4)
    chance.shuffle(told)
    return [statuses([one], name) for one, name in told]


def _perform(act, sender, cloud):
    """Start the senders of an act and let happen to the first what must; return how all ended."""
    pids = [_fork(sender) for _ in range(act.senders)]
    if act.at_request:
        cloud.wait(act.seconds + 1)
    else:
        time.sleep(act.seconds)
    if act.what == "freeze":
        _signal(pids[0], signal.SIGSTOP)
        time.sleep(act.seconds)
        _signal(pids[0], signal.SIGCONT)
    else:
        _signal(pids[0], signal.SIGKILL if act.what == "kill" else signal.SIGINT)
    return _wait(pids)


def _signal(pid, which):
    os.kill(pid, which)  # not waited for yet, so the id is still the child's


def _fork(work):
    """Run `work` in a forked process; return its id. It ends with what `work` returns, and never returns here."""
    if pid := os.fork():
        return pid
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        code = work()
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BaseException:  # noqa: BLE001  # nothing may leave this process
        traceback.print_exc()
    finally:
        os._exit(code)


def _wait(pids):
    """Wait for forked processes; return their exit codes, minus the signal where one ended it. Hung ones are killed."""
    until, codes = time.monotonic() + PATIENCE, []
    for pid in pids:
        while (ended := os.waitpid(pid, os.WNOHANG)) == (0, 0):
            if time.monotonic() > until:
                os.kill(pid, signal.SIGABRT)
            time.sleep(0.005)
        codes.append(os.waitstatus_to_exitcode(ended[1]))
    return codes


def _send(made, ledger_url, url, *, fast):
    warnings.simplefilter("ignore")
    client_module.TIMEOUT, client_module.DEADLINE = httpx.Timeout(1.0), 2.0  # minutes of waiting would prove no more
    line = {"transport": Fast(16)} if fast else {}
    with Ledger(ledger_url) as ledger, Client(SETTINGS, base_url=url, **line) as client:
        found = send(made, ledger=ledger, client=client, dry_run=False, progress=False)
    return STOPPED if found.attrs["stopped"] else 0


def _naive(made, path, url):
    naive.send(made, path=path, url=url)
    return 0
