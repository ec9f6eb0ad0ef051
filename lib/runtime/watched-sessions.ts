/** A session whose time to expiry is reported. */
export interface WatchedSession {
  readonly identity: { readonly tenant: string };
  /** Milliseconds since the epoch by the broker's clock; undefined before the first credentials. */
  readonly expires: number | undefined;
}

/** The sessions of one broker: a Map or a Set of them. */
export interface WatchedSessions {
  values(): Iterable<WatchedSession>;
}

interface Watch {
  readonly sessions: WeakRef<WatchedSessions>;
  readonly now: () => number;
}

/** Of every broker in this process: the sessions of one tenant are one series, whoever holds them. */
const watches = new Set<Watch>();
const forgotten = new FinalizationRegistry<Watch>((watch) => watches.delete(watch));

/** Reports the sessions of a broker until the returned function is called or the broker is gone. */
export function watchSessions(sessions: WatchedSessions, now: () => number): () => void {
  const watch = { sessions: new WeakRef(sessions), now };
  watches.add(watch);
  forgotten.register(sessions, watch, watch);
  return () => {
    watches.delete(watch);
    forgotten.unregister(watch);
  };
}

/** For each tenant the number of its sessions and the seconds until the first of them expires. */
export function remainingByTenant(): ReadonlyMap<string, { readonly count: number; readonly seconds: number }> {
  const tenants = new Map<string, { count: number; seconds: number }>();
  for (const { sessions, now } of watches) {
    const time = now();
    for (const { identity, expires } of sessions.deref()?.values() ?? []) {
      if (expires === undefined) continue;
      const { count, seconds } = tenants.get(identity.tenant) ?? { count: 0, seconds: Number.POSITIVE_INFINITY };
      const left = Math.max(0, (expires - time) / 1000);
      tenants.set(identity.tenant, { count: count + 1, seconds: Math.min(seconds, left) });
    }
  }
  return tenants;
}
