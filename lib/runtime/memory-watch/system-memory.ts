import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** How much memory of something is in use, of how much that it may use at most: bytes. */
export interface MemoryUse {
  readonly used: number;
  readonly limit: number;
  /** For messages: what has the limit. */
  readonly what: string;
}

/** Tells how much memory is in use of what this process may use. */
export interface MemoryReader {
  read(): MemoryUse;
}

const unlimited: MemoryUse = { used: 0, limit: Infinity, what: 'this machine' };

/** The files of a version of the kernel's control groups. */
interface Version {
  readonly mount: string;
  /** Finds the group of this process in /proc/self/cgroup. */
  readonly group: RegExp;
  readonly used: string;
  readonly limits: readonly string[];
  /** Lines of memory.stat: cached files, which the kernel drops when it needs memory. */
  readonly cached: readonly string[];
}

const versions: readonly Version[] = [
  {
    mount: 'sys/fs/cgroup',
    group: /^0::(\/.*)$/m,
    used: 'memory.current',
    limits: ['memory.max', 'memory.high'],
    cached: ['inactive_file', 'active_file'],
  },
  {
    mount: 'sys/fs/cgroup/memory',
    group: /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(\/.*)$/m,
    used: 'memory.usage_in_bytes',
    limits: ['memory.limit_in_bytes'],
    cached: ['total_inactive_file', 'total_active_file'],
  },
];

/**
 * The memory of this machine and of the control groups that this process is in. The store counts as
 * used, the cache of files does not.
 */
export class SystemMemory implements MemoryReader {
  readonly #root: string;

  /** `root` is where /proc and /sys are. */
  constructor(root = '/') {
    this.#root = root;
  }

  /** The bytes that this process may use at most; Infinity when nothing says so. */
  get limit(): number {
    return Math.min(...this.#all().map(({ limit }) => limit));
  }

  /** That of which the smallest part is left. */
  read(): MemoryUse {
    return this.#all().reduce((a, b) => (b.used / b.limit > a.used / a.limit ? b : a), unlimited);
  }

  #all(): MemoryUse[] {
    return [...this.#machine(), ...versions.flatMap((version) => this.#groups(version))];
  }

  #machine(): MemoryUse[] {
    const text = this.#text('proc/meminfo') ?? '';
    const [limit, available] = ['MemTotal', 'MemAvailable'].map((name) => kilobytesIn(text, name));
    if (limit === undefined || available === undefined) return [];
    return [{ used: limit - available, limit, what: 'this machine' }];
  }

  /** The groups with limits, of this process's own up to the root of what it can see. */
  #groups(version: Version): MemoryUse[] {
    const own = version.group.exec(this.#text('proc/self/cgroup') ?? '')?.[1];
    if (own === undefined) return [];
    const uses: MemoryUse[] = [];
    for (let group = own; ; group = dirname(group)) {
      const use = this.#use(version, group);
      if (use !== undefined) uses.push(use);
      if (group === '/') return uses;
    }
  }

  /** In a container the path of a group may be the host's: then it is found at the root. */
  #use({ mount, used, limits, cached }: Version, group: string): MemoryUse | undefined {
    const folder = join(mount, group);
    const limit = Math.min(...limits.map((file) => this.#number(join(folder, file)) ?? Infinity));
    const charged = this.#number(join(folder, used));
    // The first version writes a limit beyond all machines for none.
    if (!Number.isSafeInteger(limit) || limit === 0 || charged === undefined) return undefined;
    const stat = this.#text(join(folder, 'memory.stat')) ?? '';
    const cache = cached.reduce((sum, name) => sum + bytesIn(stat, name), 0);
    return { used: Math.max(0, charged - cache), limit, what: `the control group ${group}` };
  }

  /** Undefined also for `max`. */
  #number(path: string): number | undefined {
    const text = this.#text(path)?.trim();
    return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
  }

  #text(path: string): string | undefined {
    try {
      return readFileSync(join(this.#root, path), 'latin1');
    } catch {
      return undefined;
    }
  }
}

function kilobytesIn(text: string, name: string): number | undefined {
  const number = new RegExp(`^${name}:\\s*(\\d+) kB$`, 'm').exec(text)?.[1];
  return number === undefined ? undefined : 1024 * Number(number);
}

function bytesIn(text: string, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
}
