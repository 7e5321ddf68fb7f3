"use strict";
// The balance as steps, and under it, on the same axis, when the channel was live and when you were in its chat.
(() => {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const number = (value) => (value === null || value === undefined ? "–" : value.toLocaleString("en-US"));
  const BAND = 10, GAP = 4, FOOT = 2 * BAND + 3 * GAP;

  function bands(now) {
    return (plot) => {
      const given = now();
      const { ctx, bbox } = plot, ratio = devicePixelRatio || 1;
      const foot = bbox.top + bbox.height;
      const strip = (spans, at, filled, word) => {
        const top = foot - (FOOT - GAP - at * (BAND + GAP)) * ratio;
        ctx.save();
        ctx.beginPath();
        ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
        ctx.clip();
        ctx.fillStyle = ctx.strokeStyle = colour(filled ? "--act" : "--live");
        ctx.lineWidth = ratio;
        for (const [from, to] of spans) {
          const left = plot.valToPos(from, "x", true);
          const wide = Math.max(ratio, plot.valToPos(to === null ? given.end : to, "x", true) - left);
          if (filled) ctx.fillRect(left, top, wide, BAND * ratio);
          else ctx.strokeRect(left + ratio / 2, top + ratio / 2, Math.max(1, wide - ratio), BAND * ratio - ratio);
        }
        ctx.restore();
        ctx.save();
        ctx.fillStyle = colour("--muted");
        ctx.font = `${11 * ratio}px system-ui, sans-serif`;
        ctx.textAlign = "right";
        ctx.textBaseline = "middle";
        ctx.fillText(word, bbox.left - 6 * ratio, top + (BAND / 2) * ratio);
        ctx.restore();
      };
      strip(given.live, 0, false, "live");
      strip(given.presence, 1, true, "in");
      ctx.save();
      ctx.fillStyle = colour("--bad");
      ctx.font = `${11 * ratio}px system-ui, sans-serif`;
      let free = -Infinity;
      for (const [at, cost, what] of given.bought) {
        const x = plot.valToPos(at, "x", true), y = bbox.top + 14 * ratio;
        if (x < bbox.left || x > bbox.left + bbox.width) continue;
        ctx.beginPath();
        ctx.moveTo(x - 5 * ratio, y - 9 * ratio);
        ctx.lineTo(x + 5 * ratio, y - 9 * ratio);
        ctx.lineTo(x, y);
        ctx.fill();
        const said = `${what.length > 24 ? what.slice(0, 23) + "…" : what} −${number(cost)}`;
        const wide = ctx.measureText(said).width, right = x + 10 * ratio + wide > bbox.left + bbox.width;
        const left = right ? x - 8 * ratio - wide : x + 8 * ratio;
        if (left > free) {
          ctx.fillText(said, left, y);
          free = left + wide + 8 * ratio;
        }
      }
      ctx.restore();
    };
  }

  // 24 hours, and the day where one begins: `14:00`, `25 Nov`.
  function ticks(zone) {
    const named = zone || undefined;
    const hour = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: named });
    const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: named });
    const year = new Intl.DateTimeFormat("en-GB", { month: "short", year: "numeric", timeZone: named });
    const at = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short", timeZone: named });
    return {
      full: (time) => at.format(new Date(time * 1000)),
      values: (_, splits, __, ___, apart) => splits.map((time, place) => {
        const there = new Date(time * 1000);
        if (apart >= 28 * 86400) return year.format(there);
        if (apart >= 86400) return day.format(there);
        const said = hour.format(there);
        return said === "00:00" || place === 0 ? `${said}\n${day.format(there)}` : said;
      }),
    };
  }

  function draw(place) {
    const tick = ticks(place.dataset.zone);
    let given, times, values;
    const take = (chart) => {
      given = chart;
      times = given.points.map((point) => point[0]);
      values = given.points.map((point) => point[1]);
      if (times.length && times[times.length - 1] < given.end) { // it stands until now
        times.push(given.end);
        values.push(values[values.length - 1]);
      }
    };
    take(JSON.parse(place.dataset.chart));
    place.removeAttribute("data-chart");
    const ink = colour("--muted"), line = colour("--line");
    const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, font: "12px system-ui, sans-serif" };
    const high = 280;
    const plot = new uPlot({
      width: Math.max(240, place.clientWidth),
      height: high,
      scales: {
        x: { range: (_, low, top) => (low === times[0] && top === times[times.length - 1] ? [given.begin, given.end] : [low, top]) },
        y: {
          range: (_, low, top) => {
            if (low === null || top === null) return [0, 1];
            const span = Math.max(top - low, 10), inner = high - 70;
            const foot = (span * FOOT) / (inner - FOOT - 24);
            return [low - foot - span * 0.04, top + (span * 24) / (inner - FOOT - 24)];
          },
        },
      },
      ...(place.dataset.zone ? { tzDate: (time) => uPlot.tzDate(new Date(time * 1000), place.dataset.zone) } : {}),
      cursor: { drag: { x: true, y: false }, points: { size: 7 } },
      legend: { live: true },
      axes: [
        { ...axis, values: tick.values, size: 44 },
        {
          ...axis,
          size: 52,
          values: (plot, ticks) => { // none beside the bands, whose names stand there
            const { min, max } = plot.scales.y, foot = Math.max(0, min + ((max - min) * (FOOT + 4)) / (high - 70));
            return ticks.map((tick) => (tick < foot ? "" : number(tick)));
          },
        },
      ],
      series: [
        { label: "At", value: (_, at) => (at === null ? "–" : tick.full(at)) },
        { label: `Balance${given.currency ? ` in ${given.currency}` : ""}`, stroke: colour("--ink"), width: 1.75, paths: uPlot.paths.stepped({ align: 1 }), points: { show: false }, value: (_, value) => number(value) },
      ],
      hooks: { draw: [bands(() => given)] },
    }, [times, values], place);
    place.addEventListener("chart", (event) => {
      if (!event.detail.points.length) return;
      const { min, max } = plot.scales.x;
      const zoomed = min !== given.begin || max !== given.end;
      take(event.detail);
      plot.setData([times, values], !zoomed);
      if (zoomed) plot.setScale("x", { min, max });
      place.dataset.until = given.end;
    });
    new ResizeObserver(() => plot.setSize({ width: Math.max(240, place.clientWidth), height: high })).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => location.reload());
    place.dataset.drawn = "true";
  }

  const all = () => document.querySelectorAll("[data-chart]").forEach(draw);
  document.addEventListener("DOMContentLoaded", all);
  document.addEventListener("htmx:load", all);
  if (document.readyState !== "loading") all();
})();
