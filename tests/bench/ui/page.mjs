/** What is measured inside of the page: how long frames take, and how long a person waits for what was asked for. */

/** Milliseconds between the frames while the list is scrolled `speed` pixels a frame, for `frames` frames. */
export async function frames(app, { speed, count }) {
  const script = `
    const [speed, count, done] = arguments;
    const list = [...document.querySelectorAll('[data-testid="timeline"] *')].find((one) => one.scrollHeight > one.clientHeight + 1000);
    if (!list) return done({ error: document.body.innerText.slice(0, 500) });
    const times = [];
    let last;
    const step = (now) => {
      if (last !== undefined) times.push(now - last);
      last = now;
      if (times.length >= count) return done({ times });
      list.scrollTop += speed;
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);`;
  const answer = await app.web.executeAsync(script, [speed, count], 120_000);
  if (answer.error) throw new Error(`no list to scroll: ${answer.error}`);
  return answer.times;
}

/**
 * Milliseconds from a click (or typing `text`) on the element at `css` until what `shown` looks for is painted:
 * an expression of the page that changes its value, to anything but null.
 */
export function waitFor(app, { css, text, shown }) {
  const script = `
    const [css, text, done] = arguments;
    const look = () => (${shown});
    const element = document.querySelector(css);
    const before = JSON.stringify(look());
    const begun = performance.now();
    const painted = () => requestAnimationFrame(() => setTimeout(() => done(performance.now() - begun)));
    const check = () => {
      const now = look();
      if (now === null || now === undefined || JSON.stringify(now) === before) return;
      watch.disconnect();
      painted();
    };
    const watch = new MutationObserver(check);
    watch.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
    if (text === null) element.click();
    else {
      element.focus();
      Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(element, text);
      element.dispatchEvent(new Event("input", { bubbles: true }));
    }
    check();`;
  return app.web.executeAsync(script, [css, text ?? null], 30_000);
}
