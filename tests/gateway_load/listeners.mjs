// Idle listeners to events: opens as many as are asked for, and tells what the gateway takes for them.
import net from "node:net";
import { memory, pause, processor } from "./process.mjs";

// Listeners that are let in at once.
const AT_ONCE = 50;
const LOOK_S = 15;

/** Adds listeners until there are `count`; one row of the table. */
export async function listeners(target, open, count) {
  const began = performance.now();
  const refused = { count: 0, why: "" };
  let left = count - open.size;
  const enter = async () => {
    while (left-- > 0) await listen(target, open, refused);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, enter));
  const opened_s = (performance.now() - began) / 1000;
  await pause(LOOK_S / 3);
  const before = processor(target.pid);
  await pause(LOOK_S);
  const share = (processor(target.pid) - before) / LOOK_S;
  return { listeners: open.size, refused: refused.count, why: refused.why, "opened in s": opened_s, "RSS MiB": memory(target.pid), "cores taken": share };
}

/** One more; comes back once it has been let in or refused. */
function listen(target, open, refused) {
  return new Promise((resolve) => {
    const socket = net.connect(target.port, "127.0.0.1");
    let is_answered = false;
    const over = (why) => {
      if (!is_answered) {
        refused.count += 1;
        refused.why ||= why;
      }
      is_answered = true;
      open.delete(socket);
      socket.destroy();
      resolve();
    };
    socket.once("error", (error) => over(error.code));
    socket.once("close", () => over("closed"));
    socket.once("data", (head) => {
      const told = head.toString("latin1");
      if (!told.startsWith("HTTP/1.1 200")) return over(told.match(/"code":"(\w+)"/)?.[1] ?? told.slice(9, 12));
      is_answered = true;
      open.add(socket);
      // What is heard is nobody's.
      socket.resume();
      resolve();
    });
    socket.write(`GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${target.key}\r\n\r\n`);
  });
}
