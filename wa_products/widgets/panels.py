"""
The panel of a campaign being sent: how far it is, how fast, what came of it, with pause and stop.

It sends through `campaigns.send` and nothing else. Stopping ends a run as an interrupt does: answers still out are
awaited, what was claimed is given back, everything is written down, and sending again goes on from there.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Self

import anywidget
import traitlets

from wa_products import campaigns, codes
from wa_products.errors import PlanError, WaProductsError
from wa_products.ledger.views import LOST
from wa_products.widgets import messages, sources
from wa_products.widgets.rates import Rate

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from wa_products.client import Client
    from wa_products.ledger import Ledger
    from wa_products.plans import Plan
    from wa_products.widgets.messages import Message

READY, RUNNING, PAUSED, STOPPING, STOPPED, DONE, FAILED = (
    *("ready", "running", "paused", "stopping", "stopped", "done", "failed"),
)
BUSY = frozenset({RUNNING, PAUSED, STOPPING})
SHOWN_EVERY, COUNTED_SHARE = 0.2, 0.1  # seconds; at most this share of the time goes into counting outcomes
REASONS = 6
LATER, ON_THE_WAY = "would be sent now", "on the way"


def panel(plan: Plan, *, ledger: Ledger, client: Client) -> Panel:
    """
    Return a widget that sends `plan` when told to, after a rehearsal that shows what would happen.

    Its button, or `Panel.start`, sends in the background, so that pause and stop work in every notebook; `Panel.run`
    sends in the cell. Raises PlanError and DataError as `send` does, before anything is sent.
    """
    return Panel(plan, ledger=ledger, client=client)


class Panel(anywidget.AnyWidget):
    """The widget that `panel` returns; `outcomes` has what came of the plan so far."""

    _esm = sources.script("shared", "panel")
    _css = sources.style("shared", "panel")
    state = traitlets.Dict(help="how far the run is; nothing about a customer").tag(sync=True)

    def __init__(self, plan: Plan, *, ledger: Ledger, client: Client) -> None:
        self._plan, self._ledger, self._client = plan, ledger, client
        self._ended = threading.Event()
        self._ended.set()
        self._begin, self._telling = threading.Lock(), threading.RLock()
        self._paused = self._stop = False
        self._counted_at, self._took = 0.0, 0.0
        self._rate = Rate()
        rehearsal = campaigns.send(plan, ledger=ledger, client=client, dry_run=True)
        pending = rehearsal["details"].str.endswith(LATER)
        told = {"campaign": plan.campaign, "total": int(pending.sum()), "done": 0, "customers": len(plan)}
        told |= {"limit": float(rehearsal.attrs["rate"]), "late": int(rehearsal.attrs["late"])}
        told |= {"rate": 0.0, "left": None, "why": "", "phase": READY, "by": plan.approved_by}
        super().__init__(state=told | self._classes(rehearsal[~pending]))
        self.on_msg(self._heard)

    @property
    def outcomes(self) -> pd.DataFrame:
        """The `outcomes` frame of the plan's campaign as the ledger has it."""
        return self._ledger.outcomes(self._plan.campaign)

    def run(self) -> pd.DataFrame:
        """
        Send in this cell and return the outcomes; the stop button of the notebook stops it, and nothing is lost.

        Raises PlanError where it is being sent already.
        """
        self._claim()
        self._dispatch()
        return self.outcomes

    def start(self) -> Self:
        """Send in the background and return the panel; `wait` waits for the end. Raises PlanError as `run` does."""
        self._claim()
        self._ended.clear()
        threading.Thread(target=self._guarded, name="wa-products panel", daemon=True).start()
        return self

    def wait(self) -> pd.DataFrame:
        """Wait until what was started has ended; interrupted, stop it first. Return the outcomes."""
        # Not Thread.join: interrupted, that of Python 3.11 takes a running thread for one that has ended.
        try:
            while not self._ended.wait(0.1):
                pass
        except KeyboardInterrupt:
            self.stop()
            self._ended.wait()
            raise
        return self.outcomes

    def pause(self) -> None:
        """Send nothing more until `resume`; what is on its way arrives."""
        if self.state["phase"] == RUNNING:
            self._paused = True

    def resume(self) -> None:
        """Go on after `pause`."""
        self._paused = False

    def stop(self) -> None:
        """End the run after the answers that are still out."""
        if self.state["phase"] in BUSY:
            self._tell(phase=STOPPING)
            self._stop = True

    # One run

    def _claim(self) -> None:
        with self._begin:
            if self.state["phase"] in BUSY:
                raise PlanError(f"the plan of {self._plan.campaign!r} is being sent already")
            self._paused = self._stop = False
            self._tell(phase=RUNNING, done=0, why="", rate=0.0, left=None)

    def _guarded(self) -> None:
        try:
            self._dispatch()
        except WaProductsError:
            return  # said in the panel: nobody waits for a thread's error
        finally:
            self._ended.set()

    def _dispatch(self) -> None:
        try:
            outcomes = campaigns.send(
                self._plan, ledger=self._ledger, client=self._client, dry_run=False, progress=self._bar
            )
        except KeyboardInterrupt:
            by_hand = self._stop
            self._end(STOPPED, f"{'Stopped by hand' if by_hand else 'Interrupted'}: what is left can be sent later")
            if not by_hand:
                raise
        except BaseException as error:
            self._end(FAILED, str(error) or type(error).__name__)
            raise
        else:
            why = outcomes.attrs["stopped"]
            self._end(STOPPED if why else DONE, why)

    def _end(self, phase: str, why: str) -> None:
        self._tell(phase=phase, why=why, left=None, **self._classes(self.outcomes))

    def _bar(self, total: int) -> _Bar:
        self._rate = Rate()
        self._tell(total=total)
        return _Bar(self._step)

    def _step(self, done: int) -> None:
        """Show how far the run is, wait while it is paused, end it where it is to stop."""
        self._rate.count(done, time.monotonic())
        self._show(done, RUNNING)
        while self._paused and not self._stop:
            self._show(done, PAUSED)
            time.sleep(0.05)
            self._rate = Rate()
        if self._stop:
            raise KeyboardInterrupt

    def _show(self, done: int, phase: str) -> None:
        now, state = time.monotonic(), self.state
        if phase == state["phase"] and now - self._rate.shown_at < SHOWN_EVERY and done < state["total"]:
            return
        self._rate.shown_at = now
        rate = self._rate.value
        left = (state["total"] - done) / rate if rate else None
        counted: dict[str, Any] = {}
        if now - self._counted_at > self._took / COUNTED_SHARE:
            counted = self._classes(self.outcomes)
            self._counted_at, self._took = time.monotonic(), time.monotonic() - now
        self._tell(phase=phase, done=done, rate=round(rate, 1), left=left, **counted)

    def _classes(self, outcomes: pd.DataFrame) -> dict[str, Any]:
        """Return how many customers had each outcome, and the commonest reasons of those that got nothing."""
        told = outcomes[outcomes["outcome"] != ""]
        if self.state.get("phase") in BUSY:  # posted, and its answer not written down yet
            told = told.assign(outcome=told["outcome"].where(told["details"] != LOST, ON_THE_WAY))
        counts = {str(name): int(n) for name, n in told["outcome"].value_counts().items()}
        bad = told[told["outcome"].isin(["refused", "unknown", "skipped", "window closed"])]
        words = [_words(code, details) for code, details in zip(bad["code"], bad["details"], strict=True)]
        reasons = bad.assign(words=words).groupby(["outcome", "words"]).size().sort_values(ascending=False)
        return {
            "outcomes": counts,
            "reasons": [[str(outcome), str(why), int(n)] for (outcome, why), n in reasons.head(REASONS).items()],
        }

    def _tell(self, **news: Any) -> None:  # noqa: ANN401  # whatever the state holds
        with self._telling:  # the run and the buttons may tell at once
            self.state = {**self.state, **news}

    # The conversation with the browser

    def answer(self, content: object) -> list[Message]:
        """Do what a browser asks for; return a refusal in words where it cannot be done."""
        acts: dict[str, Callable[[], object]] = {
            "start": self.start,
            "pause": self.pause,
            "resume": self.resume,
            "stop": self.stop,
        }

        def act(message: Message) -> list[Message]:
            acts[message["k"]]()
            return []

        return messages.answered(content, dict.fromkeys(acts, act))

    def _heard(self, _widget: object, content: object, _buffers: object) -> None:
        for message in self.answer(content):
            self.send(message)

    def __repr__(self) -> str:
        s = self.state
        counts = ", ".join(f"{n:,} {name}" for name, n in s["outcomes"].items())
        return f"<Panel of {s['campaign']!r}: {s['phase']}, {s['done']:,} of {s['total']:,}" + (
            f"; {counts}>" if counts else ">"
        )


class _Bar:
    """What `send` reports its progress to, in place of a bar in a terminal."""

    def __init__(self, step: Callable[[int], None]) -> None:
        self.n = 0
        self._step = step

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        """Nothing to close."""

    def update(self, more: float) -> None:
        """Count `more` messages that were dealt with."""
        self.n += int(more)
        self._step(self.n)


def _words(code: int, details: str) -> str:
    return f"{codes.rule(int(code), details).meaning} (code {code})" if code else details
