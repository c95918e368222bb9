// A feed of bzz, kept up to date: import { follow } from "/bzz-live.js"
//
//   const feed = follow("/user/?age__gte=18", {
//     ready(rows) { ... },             // all rows, by id, as a Map; again after each reset
//     change({ kind, id, row, diff }, rows) { ... },
//     reset(reason) { ... },
//   });
//   feed.close();
//
// The browser's EventSource reconnects by itself and names the last position it saw; what the feed tells then goes on
// where it broke off. Where the feed says "reset" and the position is of no use, it begins anew, with a snapshot.

const CHANGES = ["created", "updated", "deleted", "enter", "leave"];

export function follow(url, { ready, change, reset, credentials = false } = {}) {
  const rows = new Map();
  let source;
  let position = "";
  let timer;
  let patience = 1000;

  function later() {
    timer = setTimeout(open, patience * (1 + Math.random()));
    patience = Math.min(patience * 2, 30000);
  }

  function open() {
    const target = new URL(url, document.baseURI);
    if (position) target.searchParams.set("last_event_id", position);
    source = new EventSource(target, { withCredentials: credentials });

    source.addEventListener("open", () => {
      if (!position) rows.clear(); // also where the browser reconnects before it had all of the snapshot
    });
    source.addEventListener("snapshot", ({ data }) => {
      const batch = JSON.parse(data);
      batch.ids.forEach((id, place) => rows.set(id, batch.rows[place]));
    });
    source.addEventListener("ready", ({ lastEventId }) => {
      position = lastEventId;
      patience = 1000;
      ready?.(rows);
    });
    source.addEventListener("ping", ({ lastEventId }) => {
      position = lastEventId || position;
    });
    for (const kind of CHANGES) {
      source.addEventListener(kind, ({ data, lastEventId }) => {
        const told = { kind, ...JSON.parse(data) };
        if (kind === "deleted" || kind === "leave") rows.delete(told.id);
        else rows.set(told.id, told.row);
        position = lastEventId || position;
        change?.(told, rows);
      });
    }
    source.addEventListener("reset", ({ data, lastEventId }) => {
      const { reason } = JSON.parse(data);
      if (!lastEventId) position = ""; // it is of no use any more
      source.close();
      reset?.(reason);
      later();
    });
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) later(); // else the browser tries again by itself
    });
  }

  open();
  return {
    rows,
    close() {
      clearTimeout(timer);
      source.close();
    },
  };
}
