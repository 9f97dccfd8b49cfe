// A server that is started for a test, and can be stopped within it.
import { spawn } from "node:child_process";
import { once } from "node:events";

/** Start a command that prints an http address, and wait for that. */
export async function serve(command) {
  const child = spawn(command[0], command.slice(1), { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  for await (const part of child.stdout) {
    said += part;
    const found = said.match(/http:\/\/[\d.:]+\//);
    if (found) return { url: found[0], stop: () => stop(child) };
  }
  throw new Error(`${command.join(" ")} named no address: ${said}`);
}

async function stop(child) {
  const ended = once(child, "exit");
  if (child.exitCode === null && child.kill("SIGTERM")) await ended;
}
