/** What the test asks of the window's page. Each is a script for WebDriver, which runs outside of the page's policy. */

/** Notes what the policy refuses, and dialogs, which only a script can open. */
export const WATCH = `
  window.ran = [];
  window.refused = [];
  document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI, sample }) => refused.push([effectiveDirective, blockedURI, sample].join(" ")));
  for (const name of ["alert", "confirm", "prompt", "print", "open"]) window[name] = () => { top.ran.push(name); };
`;

/** Elements that no record may bring into the page, whether the policy stops them or not; the one form is that of Connect. */
const FORBIDDEN = "script,iframe,frame,object,embed,applet,form:not([role=search]),base,meta,link,style,video,audio,source,track,math,template,dialog,map,area,portal,fencedframe,foreignObject,use,animate,set,image,feImage,input[autofocus]";

/** What the page is like now. */
export const LOOK = `
  const live = [...document.querySelectorAll("#root :is(${FORBIDDEN})")].map((one) => one.outerHTML.slice(0, 120));
  for (const main of document.querySelectorAll("main")) {
    for (const one of main.querySelectorAll('[href], [ping], [action], [formaction], [srcset], [background], [src]:not([src^="data:image/"]), [style*="url" i], [style*="image" i]')) live.push(one.outerHTML.slice(0, 120));
    const handlers = document.evaluate('.//*[@*[starts-with(local-name(), "on")]]', main, null, XPathResult.ORDERED_NODE_SNAPSHOT_TYPE);
    for (let at = 0; at < handlers.snapshotLength; at += 1) live.push(handlers.snapshotItem(at).outerHTML.slice(0, 120));
  }
  const own = document.getElementById === Document.prototype.getElementById && document.querySelector === Document.prototype.querySelector
    && document.body instanceof HTMLBodyElement && typeof __TAURI_INTERNALS__?.invoke === "function";
  const polluted = Object.keys(Object.prototype).length > 0 || ({}).polluted !== undefined || typeof ({}).toString !== "function";
  const refused = window.refused.splice(0);
  return { ran: window.ran, refused, live, own, polluted, at: location.href, title: document.title };
`;

/**
 * Opens the record in row arguments[0], unfolds all that it has, looks, opens its JSON, looks again. A row that
 * something else covers cannot be clicked. What takes longer than arguments[1] milliseconds is an error.
 */
export const VISIT = `
  const [index, patience, done] = arguments;
  const look = () => { ${LOOK} };
  const until = async (what, probe) => {
    for (const end = performance.now() + patience; performance.now() < end; await new Promise((resolve) => setTimeout(resolve, 4))) {
      const found = probe();
      if (found) return found;
    }
    throw new Error("waited in vain: " + what);
  };
  const row = () => document.querySelector('[data-index="' + index + '"] [data-testid="record-row"]');
  const pane = () => document.querySelector('[data-testid="record-detail"]');
  const words = (one) => (one?.innerText ?? "").slice(0, 300).trim();
  const visit = async () => {
    const began = performance.now();
    const scroller = await until("the list", () => document.querySelector("[data-index]")?.closest("ul").parentElement);
    await until("the row", () => { if (!row()) scroller.scrollTop = index * 92; return row(); });
    await until("the row in view, and nothing over it", () => {
      row()?.scrollIntoView({ block: "center" });
      const box = row()?.getBoundingClientRect();
      return box && box.height > 0 && row().contains(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2));
    });
    row().click();
    await until("the record", () => {
      const problem = document.querySelector('main [data-testid="problem"]');
      if (problem) throw new Error("a problem in its place: " + problem.innerText);
      return row()?.getAttribute("aria-current") === "true" && pane()?.querySelector('[data-testid="tab-json"]') && !pane().querySelector("[aria-busy=true]");
    });
    await until("its parts", () => {
      const closed = pane().querySelectorAll("details:not([open])");
      for (const one of closed) one.open = true;
      return closed.length === 0;
    });
    for (const one of [...pane().querySelectorAll("[role=tabpanel] button")].filter((button) => button.textContent.startsWith("Show ")).slice(0, 10)) one.click();
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0)));
    const seen = { row: words(row()), heading: words(pane().querySelector("h2")), overview: words(pane().querySelector("[role=tabpanel]:not([hidden])")) };
    const looks = [look()];
    pane().querySelector('[data-testid="tab-json"]').focus();
    const text = await until("its JSON", () => document.querySelector('[data-testid="record-json"]')?.textContent);
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0)));
    looks.push(look());
    const json = text.length <= 200000 ? { length: text.length, text } : { length: text.length, start: text.slice(0, 20000), end: text.slice(-20000) };
    return { ...seen, looks, json, ms: Math.round(performance.now() - began) };
  };
  visit().then(done, (error) => done({ error: error.message }));
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
