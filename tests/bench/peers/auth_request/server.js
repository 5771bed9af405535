// Licensed under the Apache License, Version 2.0; see LICENSE.
// The check a site would write that has no gate in its web server: nginx asks for each request whether
// this user holds a plan. A process per core, each with a pool of connections and the one statement
// prepared. PORT, WORKERS, STATEMENT and libpq's PG* variables say where and what.
"use strict";

const cluster = require("node:cluster");
const http = require("node:http");
const { Pool } = require("pg");

const POOL = 8;
const CHECK = { name: "check", text: process.env.STATEMENT };

function serve() {
  const pool = new Pool({ max: POOL, idleTimeoutMillis: 0 });

  const server = http.createServer(async (request, response) => {
    const user = request.headers["x-user"];
    try {
      const found = user ? await pool.query({ ...CHECK, values: [user] }) : { rows: [] };
      response.writeHead(found.rows.length ? 204 : 403, { "Content-Length": 0 });
    } catch (error) {
      console.error(error.message);
      response.writeHead(500, { "Content-Length": 0 });
    }
    response.end();
  });
  // nginx decides how long a connection is kept.
  server.keepAliveTimeout = 0;
  server.listen(Number(process.env.PORT), "127.0.0.1");
}

if (cluster.isPrimary) {
  for (let i = 0; i < Number(process.env.WORKERS); i++) {
    cluster.fork();
  }
  process.on("SIGTERM", () => process.exit(0));
} else {
  serve();
}
