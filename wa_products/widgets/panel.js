// The view of a campaign being sent.

const PHASES = { ready: "Ready", running: "Sending", paused: "Paused", stopping: "Stopping", stopped: "Stopped", done: "Done", failed: "Failed" };
const MARKS = { "on the way": "…", accepted: "✓", refused: "✕", unknown: "?", "held out": "◌", "window closed": "⏳", skipped: "–" };
const TELLS = { "on the way": "on the way", accepted: "taken by WhatsApp", refused: "refused", unknown: "no answer came", "held out": "held out, to measure", "window closed": "window closed", skipped: "not sent" };
const ARMED = 5000; // a first click arms the button, a second within this time sends

function span(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  return whole < 3600 ? `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s` : `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")} min`;
}

function render({ model, el }) {
  const send = (k) => model.send({ k });
  const title = h("h3", { class: "wa-campaign", dir: "auto" });
  const phase = h("span", { class: "wa-phase" });
  const fill = h("div", { class: "wa-fill" });
  const bar = h("div", { class: "wa-progress", role: "progressbar", "aria-label": "Messages dealt with", "aria-valuemin": "0" }, fill);
  const figures = h("dl", { class: "wa-figures" });
  const classes = h("ul", { class: "wa-classes", "aria-label": "Outcomes" });
  const reasons = h("ul", { class: "wa-reasons", "aria-label": "Why not" });
  const go = button("Send", "wa-button wa-approve wa-go", () => start());
  const hold = button("Pause", "wa-button wa-hold", () => send(model.get("state").phase === "paused" ? "resume" : "pause"));
  const halt = button("Stop", "wa-button wa-reject wa-halt", () => send("stop"));
  const status = h("div", { class: "wa-status", role: "status" });
  const say = teller(status);
  let armed = 0;
  let before = "";
  const root = frame("panel", "Sending a campaign",
    h("div", { class: "wa-top" }, title, phase), bar, figures, h("div", { class: "wa-results" }, classes, reasons),
    h("div", { class: "wa-actions" }, go, hold, halt), h("div", { class: "wa-foot" }, status));
  el.append(root);

  function start() {
    if (Date.now() - armed > ARMED) {
      armed = Date.now();
      setTimeout(draw, ARMED + 50);
      draw();
      return;
    }
    armed = 0;
    send("start");
  }

  function draw() {
    const s = model.get("state");
    const busy = ["running", "paused", "stopping"].includes(s.phase);
    const sure = Date.now() - armed <= ARMED;
    const share = s.total ? Math.min(1, s.done / s.total) : Number(s.phase === "done");
    text(title, s.campaign);
    text(phase, PHASES[s.phase]);
    phase.dataset.phase = s.phase;
    fill.style.width = `${100 * share}%`;
    bar.setAttribute("aria-valuemax", s.total);
    bar.setAttribute("aria-valuenow", s.done);
    bar.setAttribute("aria-valuetext", `${number(s.done)} of ${number(s.total)}`);
    const shown = [["Messages", `${number(s.done)} of ${number(s.total)}`], ["Rate", s.rate ? `${s.rate} a second` : `at most ${s.limit} a second`],
      ["Time left", busy ? span(s.left) : s.phase === "ready" ? `about ${span(s.total / s.limit)}` : "–"], ["Customers in the plan", number(s.customers)], ["Approved by", s.by]];
    figures.replaceChildren(...shown.map(([k, v]) => h("div", {}, h("dt", {}, k), h("dd", { dir: "auto" }, v))));
    classes.replaceChildren(...Object.entries(s.outcomes).map(([name, n]) => {
      const item = h("li", { class: "wa-class" }, h("span", { class: "wa-mark", "aria-hidden": "true" }, MARKS[name] ?? "·"), h("strong", {}, number(n)), ` ${TELLS[name] ?? name}`);
      item.dataset.outcome = name;
      return item;
    }));
    reasons.replaceChildren(...s.reasons.map(([name, why, n]) => h("li", {}, `${number(n)} ${TELLS[name] ?? name}: `, h("bdi", {}, why))));
    const left = s.phase === "ready" ? s.total : ["skipped", "window closed"].reduce((sum, name) => sum + (s.outcomes[name] ?? 0), s.phase === "done" ? 0 : s.total - s.done);
    go.disabled = busy || !left;
    const what = s.phase === "ready" ? `Send ${plural(left, "message")}` : left ? "Send what is left" : "Nothing is left to send";
    text(go, busy ? "Sending …" : sure ? "Click again to send to real people" : what);
    hold.disabled = !["running", "paused"].includes(s.phase);
    text(hold, s.phase === "paused" ? "Resume" : "Pause");
    halt.disabled = !busy || s.phase === "stopping";
    if (before !== s.phase) {
      before = s.phase;
      const late = s.phase === "ready" && s.late ? ` ${number(s.late)} would come too late at this rate.` : "";
      const stays = s.phase === "ready" ? `Rehearsed: ${plural(s.total, "message")} would be sent now.${late}` : s.why || PHASES[s.phase];
      say(stays, s.phase === "failed");
    }
  }

  const listen = (message) => { if (message?.k === "refused") say(message.why, true); };
  model.on("change:state", draw);
  model.on("msg:custom", listen);
  draw();
  return () => {
    model.off("change:state", draw);
    model.off("msg:custom", listen);
  };
}

export default { render };
