/** Return a function that runs the work once in the next animation frame, however often called. */
export function oncePerFrame(work: () => void): () => void {
  return once(work, (run) => {
    if (document.hidden) setTimeout(run, 250);
    else requestAnimationFrame(run);
  });
}

/** Return a function that runs the work at most so often, at the latest so much after a call. */
export function onceEvery(milliseconds: number, work: () => void): () => void {
  return once(work, (run) => setTimeout(run, milliseconds));
}

function once(work: () => void, later: (run: () => void) => void): () => void {
  let waiting = false;
  const run = () => {
    waiting = false;
    work();
  };
  return () => {
    if (waiting) return;
    waiting = true;
    later(run);
  };
}
