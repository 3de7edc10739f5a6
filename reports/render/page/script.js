(() => {
  "use strict";
  const root = document.documentElement;
  for (const e of document.querySelectorAll(".needs-script")) e.hidden = false;

  // Theme: what the address asks for, else what was chosen before, else what the system prefers.
  const button = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const kept = () => { try { return localStorage.getItem("brownout-theme"); } catch { return null; } };
  const asked = new URLSearchParams(location.search).get("theme");
  const show = theme => { if (theme === "dark" || theme === "light") root.dataset.theme = theme; name(); };
  const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : system.matches;
  const name = () => { button.textContent = dark() ? "☀ Light" : "☾ Dark"; };
  show(asked || kept());
  system.addEventListener("change", name);
  button.addEventListener("click", () => {
    const theme = dark() ? "light" : "dark";
    try { localStorage.setItem("brownout-theme", theme); } catch { /* a private window keeps nothing */ }
    show(theme);
  });

  // The numbers of one second, beside the pointer, with one line through all charts.
  const hover = JSON.parse(document.getElementById("hover").textContent);
  const tip = document.getElementById("tip");
  const charts = [...document.querySelectorAll("svg.chart")];
  let current = -1;
  const rows = [["Good", "good"], ["SLI", "sli"], ["TTFT p50 / p99", "ttft"], ["ITL p50 / p99", "itl"], ["E2E p50 / p99", "e2e"], ["Tokens/s", "tokens"]];
  const line = (tag, text, into) => { const e = document.createElement(tag); e.textContent = text; into.append(e); return e; };
  const hide = () => { tip.hidden = true; current = -1; for (const c of charts) c.classList.remove("on"); };
  const point = (index, clientX, clientY) => {
    current = Math.max(0, Math.min(hover.rows.length - 1, index));
    const row = hover.rows[current];
    const t = (row.from + row.to) / 2;
    for (const c of charts) {
      const left = +c.dataset.left, right = +c.dataset.right;
      const x = left + t / hover.end * (right - left);
      const cross = c.querySelector(".cross");
      cross.setAttribute("x1", x);
      cross.setAttribute("x2", x);
      c.classList.add("on");
    }
    tip.replaceChildren();
    const head = line("p", row.head, tip);
    line("span", row.phase, head);
    const list = line("dl", "", tip);
    for (const [label, key] of rows) {
      if (row[key] === "–") continue;
      line("dt", label, list);
      line("dd", row[key], list);
    }
    if (row.acts) line("p", row.acts, tip).className = "acts";
    tip.hidden = false;
    const box = tip.getBoundingClientRect(), gap = 14;
    const x = clientX + gap + box.width > innerWidth ? clientX - gap - box.width : clientX + gap;
    const y = Math.min(clientY + gap, innerHeight - box.height - 4);
    tip.style.transform = `translate(${Math.max(4, x)}px, ${Math.max(4, y)}px)`;
  };
  const at = (c, clientX) => {
    const box = c.getBoundingClientRect();
    const x = (clientX - box.left) / box.width * +c.dataset.width;
    const t = (x - +c.dataset.left) / (+c.dataset.right - +c.dataset.left) * hover.end;
    return t < 0 || t > hover.end ? -1 : hover.rows.findIndex(r => t < r.to);
  };
  for (const c of charts) {
    c.addEventListener("pointermove", e => { const i = at(c, e.clientX); if (i < 0) hide(); else point(i, e.clientX, e.clientY); });
    c.addEventListener("pointerleave", hide);
    c.addEventListener("blur", hide);
    c.addEventListener("keydown", e => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
      if (e.key === "Escape") hide();
      if (!step) return;
      e.preventDefault();
      const next = Math.max(0, Math.min(hover.rows.length - 1, current < 0 ? 0 : current + step));
      const box = c.getBoundingClientRect(), row = hover.rows[next];
      const left = +c.dataset.left, right = +c.dataset.right;
      const x = left + (row.from + row.to) / 2 / hover.end * (right - left);
      point(next, box.left + x / +c.dataset.width * box.width, box.top + 20);
    });
  }

  // The filter of the events: every word must occur.
  const filter = document.getElementById("filter");
  if (filter) {
    const lines = [...document.querySelectorAll("#event-table tbody tr")];
    const matches = document.getElementById("matches");
    filter.addEventListener("input", () => {
      const wanted = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
      let n = 0;
      for (const l of lines) {
        const text = l.textContent.toLowerCase();
        l.hidden = !wanted.every(w => text.includes(w));
        if (!l.hidden) n++;
      }
      matches.textContent = wanted.length ? `${n} of ${lines.length}` : "";
    });
  }
})();
