/** What the test asks of the window's page. Each is a script for WebDriver, which runs outside of the page's policy. */

/** Notes what the policy refuses, and dialogs, which only a script can open. */
export const WATCH = `
  window.ran = [];
  window.refused = [];
  document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI, sample }) => refused.push([effectiveDirective, blockedURI, sample].join(" ")));
  for (const name of ["alert", "confirm", "prompt", "print", "open"]) window[name] = () => { top.ran.push(name); };
`;

/** Elements that no record may bring into the page, whether the policy stops them or not. */
const FORBIDDEN = "script,iframe,frame,object,embed,applet,form,base,meta,link,style,video,audio,source,track,math,template,dialog,map,area,portal,fencedframe,foreignObject,use,animate,set,image,feImage,input[autofocus]";

/** What the page is like now. */
export const LOOK = `
  const live = [...document.querySelectorAll("#root :is(${FORBIDDEN})")].map((one) => one.outerHTML.slice(0, 120));
  for (const main of document.querySelectorAll("main")) {
    for (const one of main.querySelectorAll('a, [href], [ping], [action], [formaction], [srcset], [background], [src]:not([src^="data:image/"]), [style*="url" i], [style*="image" i]')) live.push(one.outerHTML.slice(0, 120));
    const handlers = document.evaluate('.//*[@*[starts-with(local-name(), "on")]]', main, null, XPathResult.ORDERED_NODE_SNAPSHOT_TYPE);
    for (let at = 0; at < handlers.snapshotLength; at += 1) live.push(handlers.snapshotItem(at).outerHTML.slice(0, 120));
  }
  const own = document.getElementById === Document.prototype.getElementById && document.querySelector === Document.prototype.querySelector
    && document.body instanceof HTMLBodyElement && typeof __TAURI_INTERNALS__?.invoke === "function";
  const polluted = Object.keys(Object.prototype).length > 0 || ({}).polluted !== undefined || typeof ({}).toString !== "function";
  return { ran: window.ran, refused: window.refused, live, own, polluted, at: location.href, title: document.title };
`;

/** The row at a position of the list, brought into view. */
export const ROW = `
  const scroller = document.querySelector("[data-index]")?.closest("ul")?.parentElement;
  const item = document.querySelector('[data-index="' + arguments[0] + '"]');
  if (!item && scroller) scroller.scrollTop = arguments[0] * 92;
  const row = item?.querySelector('[data-testid="record-row"]');
  row?.scrollIntoView({ block: "center" });
  return row ?? null;
`;

/** How the open record stands: the row that is marked, what the pane says. */
export const PANE = `
  const row = document.querySelector('[data-index="' + arguments[0] + '"] [data-testid="record-row"]');
  const pane = document.querySelector('[data-testid="record-detail"]');
  return {
    current: row?.getAttribute("aria-current") === "true",
    row: row?.innerText.slice(0, 300) ?? "",
    ready: pane?.querySelector('[data-testid="tab-json"]') != null && pane.querySelector("[aria-busy=true]") === null,
    heading: pane?.querySelector("h2")?.innerText.slice(0, 300) ?? "",
    overview: pane?.querySelector("[role=tabpanel]:not([hidden])")?.innerText.slice(0, 300) ?? "",
    problem: document.querySelector('main [data-testid="problem"]')?.innerText ?? null,
  };
`;

/** Opens every part of the record that is closed, and presses what shows more; says how much there was to open. */
export const UNFOLD = `
  const pane = document.querySelector('[data-testid="record-detail"]');
  const closed = [...pane.querySelectorAll("details:not([open])")];
  for (const one of closed) one.open = true;
  const more = arguments[0] ? [...pane.querySelectorAll("[role=tabpanel] button")].filter((one) => one.textContent.startsWith("Show ")) : [];
  for (const one of more.slice(0, 10)) one.click();
  return closed.length + more.length;
`;

/** The JSON that the open record shows: all of it, or of a long one its length and its ends. */
export const JSON_SHOWN = `
  const text = document.querySelector('[data-testid="record-json"]')?.textContent;
  if (text === undefined) return null;
  return text.length <= 200000 ? { length: text.length, text } : { length: text.length, start: text.slice(0, 20000), end: text.slice(-20000) };
`;

/** Ways in which a script would try to reach the canary at arguments[0], and to run what is text. */
export const ESCAPES = `
  const to = arguments[0];
  const mark = "top.ran.push('escaped')";
  const element = (name, set, parent = document.body) => { const one = document.createElement(name); for (const [key, value] of Object.entries(set)) one.setAttribute(key, value); parent.append(one); return one; };
  const ways = {
    fetch: () => void fetch(to).catch(() => {}),
    "fetch without an answer": () => void fetch(to, { mode: "no-cors", method: "POST", body: "x", keepalive: true }).catch(() => {}),
    XMLHttpRequest: () => { const request = new XMLHttpRequest(); request.open("GET", to); request.send(); },
    WebSocket: () => new WebSocket(to.replace("http", "ws")),
    EventSource: () => new EventSource(to),
    beacon: () => navigator.sendBeacon(to, "x"),
    Worker: () => new Worker(to),
    "Worker of a blob": () => new Worker(URL.createObjectURL(new Blob(["fetch('" + to + "')"]))),
    Image: () => { new Image().src = to; },
    Audio: () => { const audio = new Audio(to); audio.load(); },
    script: () => element("script", { src: to }),
    "script in the page": () => { element("script", {}).textContent = mark; },
    "handler in the page": () => element("img", { src: "x", onerror: mark }),
    "markup in the page": () => { element("div", {}).innerHTML = "<img src=x onerror=\\"" + mark + "\\">"; },
    eval: () => (0, eval)(mark),
    Function: () => new Function(mark)(),
    setTimeout: () => setTimeout(mark, 0),
    import: () => void import(to).catch(() => {}),
    "style sheet": () => element("link", { rel: "stylesheet", href: to }, document.head),
    prefetch: () => element("link", { rel: "prefetch", href: to }, document.head),
    preload: () => element("link", { rel: "preload", as: "image", href: to }, document.head),
    icon: () => element("link", { rel: "icon", href: to }, document.head),
    manifest: () => element("link", { rel: "manifest", href: to }, document.head),
    "style in the page": () => { element("style", {}).textContent = "body{background:url(" + to + ")}"; },
    "style attribute": () => element("p", { style: "background:url(" + to + ")" }),
    "style by script": () => { element("p", {}).style.backgroundImage = "url(" + to + ")"; },
    "font by script": () => { const font = new FontFace("h", "url(" + to + ")"); document.fonts.add(font); void font.load().catch(() => {}); },
    frame: () => element("iframe", { src: to }),
    "frame of data": () => element("iframe", { src: "data:text/html,<img src='" + to + "'>" }),
    object: () => element("object", { data: to }),
    embed: () => element("embed", { src: to }),
    video: () => element("video", { src: to, poster: to, autoplay: "" }),
    form: () => element("form", { action: to, method: "post" }).submit(),
    link: () => element("a", { href: to }).click(),
    "link in a new window": () => element("a", { href: to, target: "_blank" }).click(),
    "link that pings": () => element("a", { href: "#x", ping: to }).click(),
    "link to a script": () => element("a", { href: "javascript:" + mark }).click(),
    refresh: () => element("meta", { "http-equiv": "refresh", content: "0;url=" + to }, document.head),
    "another page": () => { location.href = to; },
    "another page in place": () => location.replace(to),
    "another window": () => Window.prototype.open?.call(window, to),
    "a window of its own": () => { const open = Object.getOwnPropertyDescriptor(window, "open"); delete window.open; window.open(to); if (open) Object.defineProperty(window, "open", open); },
    "a service worker": () => void navigator.serviceWorker?.register(to).catch(() => {}),
    "a peer": () => { const peer = new RTCPeerConnection({ iceServers: [{ urls: "stun:" + new URL(to).host }] }); peer.createDataChannel("x"); void peer.createOffer().then((offer) => peer.setLocalDescription(offer)); },
  };
  const refused = {};
  for (const [name, way] of Object.entries(ways)) { try { way(); refused[name] = ""; } catch (error) { refused[name] = error.name; } }
  return refused;
`;

/** Takes the marks of the attempts away again. */
export const TIDY = `
  for (const one of document.querySelectorAll("body > :not(#root), head > link:not([crossorigin]), head > meta[http-equiv=refresh]")) one.remove();
  window.ran = []; window.refused = [];
`;

/** In a browser without protection: writes each of arguments[0] into a frame of its own and waits for what happens. */
export async function unprotected(pages) {
  window.ran = [];
  for (const page of pages) {
    const frame = document.createElement("iframe");
    frame.sandbox = "allow-scripts allow-same-origin allow-forms allow-modals";
    document.body.append(frame);
    const inside = frame.contentDocument;
    inside.open();
    inside.write(page);
    inside.close();
    // By the prototype: some of these pages shadow the document's own names.
    const focused = Document.prototype.querySelector.call(inside, "[autofocus]");
    if (focused) HTMLElement.prototype.focus.call(focused);
  }
  await new Promise((resolve) => setTimeout(resolve, 2500));
  return window.ran;
}
