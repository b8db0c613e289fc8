/** Which keys were met, and as the how manieth: 128 bits of each are kept. */
const LANES = 4;
const MULTIPLIERS = [0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f, 0x165667b1] as const;

export class Seen {
  #capacity = 1 << 16;
  #hashes = new Uint32Array(this.#capacity * LANES);
  /** 1 + the number; 0: free. */
  #numbers = new Uint32Array(this.#capacity);
  #size = 0;
  readonly #hash = new Uint32Array(LANES);

  get size(): number {
    return this.#size;
  }

  /** Its number, negative (-1 - number) if it is new. */
  add(key: readonly number[]): number {
    this.#digest(key);
    if (2 * this.#size > this.#capacity) this.#grow();
    const at = this.#find(this.#hash, 0);
    const known = this.#numbers[at] ?? 0;
    if (known > 0) return known - 1;
    this.#hashes.set(this.#hash, at * LANES);
    this.#numbers[at] = ++this.#size;
    return -this.#size;
  }

  /** Four independent sums, each mixed at every number (the finaliser of MurmurHash3). */
  #digest(key: readonly number[]): void {
    const hash = this.#hash;
    for (let lane = 0; lane < LANES; lane++) {
      const multiplier = MULTIPLIERS[lane] ?? 1;
      let h = Math.imul(lane + 1, 0x9e3779b9);
      for (let i = 0; i < key.length; i++) {
        h = Math.imul(h ^ (key[i] ?? 0), multiplier);
        h ^= h >>> 15;
        h = Math.imul(h, 0x85ebca6b + 2 * lane);
        h ^= h >>> 13;
      }
      hash[lane] = h ^ key.length;
    }
  }

  #find(hashes: Uint32Array, from: number): number {
    const mask = this.#capacity - 1;
    for (let at = (hashes[from] ?? 0) & mask; ; at = (at + 1) & mask) {
      if (this.#numbers[at] === 0) return at;
      let equal = true;
      for (let lane = 0; lane < LANES; lane++)
        if (this.#hashes[at * LANES + lane] !== hashes[from + lane]) equal = false;
      if (equal) return at;
    }
  }

  #grow(): void {
    const [hashes, numbers] = [this.#hashes, this.#numbers];
    this.#capacity *= 2;
    this.#hashes = new Uint32Array(this.#capacity * LANES);
    this.#numbers = new Uint32Array(this.#capacity);
    for (const [i, number] of numbers.entries()) {
      if (number === 0) continue;
      const at = this.#find(hashes, i * LANES);
      this.#hashes.set(hashes.subarray(i * LANES, (i + 1) * LANES), at * LANES);
      this.#numbers[at] = number;
    }
  }
}
