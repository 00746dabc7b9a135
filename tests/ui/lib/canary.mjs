/**
 * A server that nobody may reach: it counts every connection, also those that say nothing, on the
 * loopback address and on another one of this machine.
 */
import { createServer } from "node:http";
import { networkInterfaces } from "node:os";

export class Canary {
  static async start() {
    const canary = new Canary();
    const elsewhere = Object.values(networkInterfaces()).flat().find(({ family, internal }) => family === "IPv4" && !internal);
    for (const address of ["127.0.0.1", ...(elsewhere ? [elsewhere.address] : [])]) await canary.#listen(address);
    return canary;
  }

  constructor() {
    this.servers = [];
    this.origins = [];
    this.reset();
  }

  async #listen(address) {
    const server = createServer((request, response) => {
      this.paths.push(request.url);
      response.writeHead(request.url === "/control" ? 200 : 404, { "content-type": "text/html", "access-control-allow-origin": "*" });
      response.end("<!doctype html><title>control</title>");
    });
    server.on("connection", () => { this.connections += 1; });
    await new Promise((resolve, reject) => server.once("error", reject).listen(0, address, resolve));
    this.servers.push(server);
    this.origins.push(`http://${address}:${server.address().port}`);
  }

  /** Forgets what came. */
  reset() {
    this.connections = 0;
    this.paths = [];
  }

  async stop() {
    for (const server of this.servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }
}
