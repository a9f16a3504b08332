/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A WHIP server of libdatachannel (its Node.js package node-datachannel), for one
 * session: the RTP that it receives goes to two ports of 127.0.0.1.
 *
 *   node whip-server.js NODE_MODULES AUDIO_PORT VIDEO_PORT FOLDER
 *
 * FOLDER gets the files "endpoint", when it listens, and "ended", after the DELETE. It
 * ends with its standard input.
 */
const fs = require("fs");
const http = require("http");
const path = require("path");
const udp = require("dgram").createSocket("udp4");

const [modules, audioPort, videoPort, folder] = process.argv.slice(2);
const { PeerConnection, RtcpReceivingSession } =
    require(path.join(modules, "node-datachannel"));

let posts = 0;
let deletes = 0;
let peer = null;
const tracks = []; /* or they would be collected */

/* Whole, or not at all. */
function write(name, text) {
  fs.writeFileSync(path.join(folder, name + ".part"), text);
  fs.renameSync(path.join(folder, name + ".part"), path.join(folder, name));
}

function forward(track, port) {
  track.setMediaHandler(new RtcpReceivingSession());
  track.onOpen(() => track.requestKeyframe());
  track.onMessage((packet) => udp.send(packet, port, "127.0.0.1"));
  tracks.push(track);
}

function answer(offer, respond) {
  peer = new PeerConnection("stage", {
    iceServers: [],
    bindAddress: "127.0.0.1",
  });
  peer.onTrack((track) => forward(track,
      Number(track.type() === "audio" ? audioPort : videoPort)));
  peer.onGatheringStateChange((state) => {
    if (state === "complete")
      respond(peer.localDescription().sdp);
  });
  peer.setRemoteDescription(offer, "offer");
}

function take(request, response, offer) {
  if (request.method === "POST" && request.url === "/whip") {
    posts++;
    answer(offer, (sdp) => {
      response.writeHead(201, {
        "Content-Type": "application/sdp",
        "Location": "/session",
      });
      response.end(sdp);
    });
  } else if (request.method === "DELETE" && request.url === "/session") {
    deletes++;
    peer.close();
    response.writeHead(200).end();
    write("ended", `posts ${posts} deletes ${deletes}\n`);
  } else {
    response.writeHead(404).end();
  }
}

const server = http.createServer((request, response) => {
  let body = "";

  request.on("data", (piece) => { body += piece; });
  request.on("end", () => take(request, response, body));
});

server.listen(0, "127.0.0.1", () =>
  write("endpoint", `http://127.0.0.1:${server.address().port}/whip`));
process.stdin.on("end", () => process.exit(0));
process.stdin.resume();
