// A server that is started for a test, and can be stopped within it.
import { spawn } from "node:child_process";
import { once } from "node:events";

/** Start a command that prints an http address, and wait for that. */
export async function serve(command) {
  const child = spawn(command[0], command.slice(1), { stdio: ["ignore", "pipe", "inherit"] });
  const url = await new Promise((resolve, reject) => {
    let said = "";
    child.stdout.on("data", (part) => {
      said += part;
      const found = said.match(/http:\/\/[\d.:]+/);
      if (found) resolve(`${found[0]}/`);
    });
    child.on("exit", () => reject(new Error(`${command.join(" ")} named no address: ${said}`)));
  });
  return { url, stop: () => stop(child) };
}

async function stop(child) {
  const ended = once(child, "exit");
  if (child.exitCode === null && child.kill("SIGTERM")) await ended;
}
