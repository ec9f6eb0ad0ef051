/** Fulfilled when the user asks to stop. */
export function stopped(stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stop.aborted) resolve();
    else stop.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Waits for something no longer than until the user asks to stop, which is then the error. */
export async function unlessStopped<Result>(stop: AbortSignal, wait: Promise<Result>): Promise<Result> {
  const asked = stopped(stop).then(() => {
    throw new Error('interrupted');
  });
  return Promise.race([wait, asked]);
}
