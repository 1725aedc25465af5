// What a screen reader or a keyboard needs, and the theme leaves out.
document.addEventListener("DOMContentLoaded", () => {
  for (const caption of document.querySelectorAll("p.caption[role=heading]")) caption.setAttribute("aria-level", "2");
  for (const box of document.querySelectorAll("pre, table.docutils")) box.tabIndex = 0;
  document.querySelector("aside.sidebar-drawer")?.setAttribute("aria-label", "Site");
});
