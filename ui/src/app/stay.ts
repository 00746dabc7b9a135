/** By scheme and host: the origin of an address like ours is "null" in some webviews. */
function isOwn(address: string): boolean {
  try {
    const { protocol, host } = new URL(address, location.href);
    return protocol === location.protocol && host === location.host;
  } catch {
    return false;
  }
}

/**
 * No link leads out of the window. The shell refuses to go elsewhere too, but by then WebKit has connected to
 * where a clicked link points, to be quicker: whoever is there would see that somebody clicked.
 */
export function stayHere(): void {
  document.addEventListener(
    "click",
    (event) => {
      const link = event.composedPath().find((one): one is Element => one instanceof Element && one.matches("a, area"));
      const leads = link?.getAttribute("href") ?? link?.getAttribute("xlink:href");
      if (typeof leads === "string" && !isOwn(leads)) event.preventDefault();
    },
    { capture: true },
  );
}
