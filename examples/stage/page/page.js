/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The page of the local stage: joins like any subscriber, and shows what it sees.
 *
 * With ?report=1&after=SECONDS it tells the API once what it decoded, for tests.
 */
'use strict';

const cards = new Map();        // participant id -> Card
const find = id => document.getElementById(id);
let soundIsOn = false;

async function ask(path, body) {
  const response = await fetch(path, body && {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok)
    throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

async function mint(request) {
  return (await ask('/api/token', request)).participantToken;
}

function readClaims(token) {
  const part = token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/');
  const bytes = Uint8Array.from(atob(part), c => c.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes));
}

/* -- One participant ------------------------------------------------------- */

class Card {
  constructor(participant) {
    this.id = participant.id;
    this.element = find('card').content.firstElementChild.cloneNode(true);
    this.video = this.part('video');
    this.video.muted = !soundIsOn;
    this.video.addEventListener('resize', () => this.showPicture());
    const attributes = Object.entries(participant.attributes ?? {})
      .map(([name, value]) => `${name}: ${value}`);
    this.part('.name').textContent = participant.userId || participant.id;
    this.part('.who').textContent = [participant.id, ...attributes].join(' · ');
    find('stage').append(this.element);
  }

  part(selector) {
    return this.element.querySelector(selector);
  }

  /* As the official SDK does: POST to whip_url/subscribe/ID, no trickle. */
  async subscribe(token, whipUrl) {
    const peer = new RTCPeerConnection();
    this.peer = peer;
    this.token = token;
    const stream = new MediaStream();
    peer.ontrack = event => {
      stream.addTrack(event.track);
      this.video.srcObject = stream;
      this.video.play().catch(() => {});
    };
    peer.onconnectionstatechange = () => {
      if (peer.connectionState === 'failed')
        this.again(token, whipUrl);
    };
    peer.addTransceiver('audio', { direction: 'recvonly' });
    peer.addTransceiver('video', { direction: 'recvonly' });
    await peer.setLocalDescription();
    const response = await fetch(`${whipUrl}/subscribe/${this.id}`, {
      method: 'POST',
      headers: { 'Authorization': `Bearer ${token}`, 'Content-Type': 'application/sdp' },
      body: peer.localDescription.sdp,
    });
    if (!response.ok)
      throw new Error(`subscribe: ${response.status}`);
    this.session = response.headers.get('Location');
    if (this.peer === peer)
      await peer.setRemoteDescription({ type: 'answer', sdp: await response.text() });
  }

  async again(token, whipUrl) {
    this.peer?.close();
    this.peer = null;
    await new Promise(resolve => setTimeout(resolve, 1000));
    if (cards.has(this.id) && !this.peer)
      this.start(token, whipUrl);
  }

  start(token, whipUrl) {
    this.subscribe(token, whipUrl).catch(error => {
      console.warn(error.message);
      this.again(token, whipUrl);
    });
  }

  leave() {
    this.peer?.close();
    if (this.session)
      fetch(this.session, {
        method: 'DELETE', keepalive: true,
        headers: { 'Authorization': `Bearer ${this.token}` },
      }).catch(() => {});
    this.element.remove();
  }

  showPicture() {
    this.part('.placeholder').style.display = this.video.videoWidth > 0 ? 'none' : '';
  }

  async showLevel() {
    let level = 0;
    (await this.peer?.getStats())?.forEach(entry => {
      if (entry.type === 'inbound-rtp' && entry.kind === 'audio')
        level = entry.audioLevel ?? 0;
    });
    this.part('.level i').style.width = `${Math.min(100, Math.sqrt(level) * 100)}%`;
  }

  set(selector, text, isBad = false) {
    const element = this.part(selector);
    element.textContent = text;
    element.classList.toggle('bad', isBad);
  }

  show(participant) {
    const { video, audio, state, av_offset_ms: offset } = participant.session ?? {};
    const rate = value => `${Math.round(value)} kbit/s`;
    const lost = [video, audio].filter(Boolean)
      .map(stream => [stream.never_arrived ?? 0, (stream.never_arrived ?? 0) + stream.packets])
      .reduce(([a, b], [c, d]) => [a + c, b + d], [0, 0]);
    const pill = this.part('.state');
    pill.textContent = state ?? '';
    pill.classList.toggle('good', state === 'connected');
    this.set('.size', video ? `${video.width} × ${video.height}` : '–');
    this.set('.fps', video ? `${video.fps.toFixed(0)} fps` : '–');
    this.set('.video', video ? rate(video.kbps) : '–');
    this.set('.audio', audio ? `${rate(audio.kbps)}, ${audio.channels === 2 ? 'stereo' : 'mono'}` : '–');
    this.set('.lost', lost[1] ? `${lost[0]} (${(100 * lost[0] / lost[1]).toFixed(1)} %)` : '–', lost[0] > 0);
    this.set('.sync', typeof offset === 'number' ? `${offset > 0 ? '+' : ''}${offset.toFixed(0)} ms` : '–',
      Math.abs(offset) > 100);
    this.showMetadata(video?.metadata);
    this.showLint(participant.lint ?? []);
  }

  // As text if it is text, else as hexadecimal digits.
  showMetadata(metadata) {
    const line = this.part('.metadata');
    line.hidden = !metadata?.count;
    if (line.hidden)
      return;
    const bytes = Uint8Array.from(atob(metadata.last), letter => letter.charCodeAt(0));
    let text;
    try {
      text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      text = [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join(' ');
    }
    line.textContent = `Metadata ${metadata.count}: ${text}`;
  }

  showLint(complaints) {
    const lint = this.part('.lint');
    lint.hidden = complaints.length === 0;
    lint.querySelector('summary').textContent =
      `${complaints.length} remark${complaints.length === 1 ? '' : 's'} on the offer`;
    lint.querySelector('ul').replaceChildren(...complaints.map(text => {
      const item = document.createElement('li');
      item.textContent = text;
      return item;
    }));
  }

  async report() {
    const canvas = document.createElement('canvas');
    canvas.width = this.video.videoWidth || 1;
    canvas.height = this.video.videoHeight || 1;
    canvas.getContext('2d').drawImage(this.video, 0, 0);
    const stats = [];
    (await this.peer?.getStats())?.forEach(entry => {
      if (['inbound-rtp', 'candidate-pair', 'transport'].includes(entry.type))
        stats.push(entry);
    });
    return {
      id: this.id,
      name: this.part('.name').textContent,
      width: this.video.videoWidth,
      height: this.video.videoHeight,
      currentTime: this.video.currentTime,
      metadata: this.part('.metadata').textContent,
      connection: this.peer?.connectionState ?? 'none',
      png: canvas.toDataURL('image/png'),
      stats,
    };
  }
}

/* -- The stage's events ------------------------------------------------------ */

function showConnection(text, isGood) {
  const pill = find('connection');
  pill.textContent = text;
  pill.className = `pill ${isGood ? 'good' : 'bad'}`;
}

function stateChanged(participants, token, whipUrl) {
  const present = new Map(participants.filter(p => p.isPublishing).map(p => [p.id, p]));
  for (const [id, card] of cards)
    if (!present.has(id)) {
      cards.delete(id);
      card.leave();
    }
  for (const [id, participant] of present)
    if (!cards.has(id)) {
      const card = new Card(participant);
      cards.set(id, card);
      card.start(token, whipUrl);
    }
  find('empty').hidden = cards.size > 0;
}

async function join() {
  const { token } = await mint({ userId: 'page', capabilities: ['SUBSCRIBE'] });
  const claims = readClaims(token);
  const url = `${claims.events_url}?error_over_ws=1&topic=${claims.topic}/publishers`;
  const socket = new WebSocket(url, token);
  const ping = setInterval(() => {
    if (socket.readyState === WebSocket.OPEN)
      socket.send(JSON.stringify({ type: 'PING' }));
  }, 15000);

  socket.onopen = () => showConnection('joined', true);
  socket.onmessage = event => {
    const message = JSON.parse(event.data);
    if (message.type === 'aws:ivs:STAGE_STATE')
      stateChanged(message.payload.participants, token, claims.whip_url);
  };
  await new Promise(resolve => { socket.onclose = resolve; });
  clearInterval(ping);
}

/* The stage may be started again while the page is open. */
async function stayJoined() {
  for (;;) {
    await join().catch(() => {});
    showConnection('the stage is gone', false);
    stateChanged([], '', '');
    await new Promise(resolve => setTimeout(resolve, 1000));
  }
}

/* -- What the stage counts ----------------------------------------------------- */

function showRefusals(refusals) {
  find('no-refusals').hidden = refusals.length > 0;
  find('refusals').hidden = refusals.length === 0;
  find('refusals').tBodies[0].replaceChildren(...refusals.slice(-12).reverse().map(refusal => {
    const row = document.createElement('tr');
    const texts = [
      new Date(refusal.time * 1000).toLocaleTimeString(), refusal.status,
      refusal.code || '–', refusal.participant ?? '–',
      `${refusal.reason} (${refusal.method} ${refusal.path})`,
    ];
    for (const text of texts)
      row.insertCell().textContent = text;
    return row;
  }));
}

async function refresh() {
  const state = await ask('/api/state');
  let watching = 0;
  for (const participant of state.participants) {
    watching += participant.viewers.length;
    cards.get(participant.id)?.show(participant);
  }
  find('summary').textContent =
    `${state.publishers} publishing, ${watching} connection${watching === 1 ? '' : 's'} watching`;
  showRefusals(state.refusals);
}

/* -- Buttons --------------------------------------------------------------------- */

function writeLaunchLine(token) {
  return `export IVS_STAGE_TOKEN=${token}
gst-launch-1.0 -e ivsstagesink name=stage whip-endpoint=${location.origin}/ \\
  videotestsrc is-live=true ! video/x-raw,width=1280,height=720 ! stage. \\
  audiotestsrc is-live=true wave=ticks ! stage.`;
}

find('launch').textContent = writeLaunchLine('...');
find('mint').onclick = async () => {
  try {
    const { token, participantId } = await mint({ userId: `guest ${new Date().toLocaleTimeString()}` });
    find('launch').textContent = writeLaunchLine(token);
    /* Browsers have a clipboard on pages of this computer and over HTTPS only. */
    await navigator.clipboard?.writeText(find('launch').textContent);
    find('minted').textContent =
      `${navigator.clipboard ? 'Copied' : 'Copy it by hand'}; the participant is ${participantId}.`;
  } catch (error) {
    find('minted').textContent = `Copy it by hand (${error.message}).`;
  }
};
find('sound').onclick = event => {
  soundIsOn = !soundIsOn;
  event.target.textContent = soundIsOn ? 'Sound is on' : 'Sound is off';
  event.target.setAttribute('aria-pressed', soundIsOn);
  for (const card of cards.values())
    card.video.muted = !soundIsOn;
};

/* -- For tests ---------------------------------------------------------------------- */

async function report() {
  await ask('/api/report', {
    userAgent: navigator.userAgent,
    participants: await Promise.all([...cards.values()].map(card => card.report())),
  });
}

const query = new URLSearchParams(location.search);
if (query.has('report'))
  setTimeout(report, 1000 * (Number(query.get('after')) || 5));

setInterval(() => refresh().catch(() => {}), 1000);
setInterval(() => cards.forEach(card => card.showLevel().catch(() => {})), 250);
stayJoined();
