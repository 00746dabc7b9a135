// The second frame begins when the first one has been painted.
requestAnimationFrame(() => requestAnimationFrame(() => {
  document.documentElement.dataset.firstRow = String(Date.now());
}));
