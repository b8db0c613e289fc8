/** The tail of the normal distribution to hundreds of digits, by the plain power series in integers. */

/** Numbers here are integers in units of 10^-DIGITS. The series loses e^(z²) of them. */
const DIGITS = 700n;
const ONE = 10n ** DIGITS;

const times = (a: bigint, b: bigint): bigint => (a * b) / ONE;

function rootOf(n: bigint): bigint {
  let root = 10n ** BigInt(Math.ceil(String(n).length / 2));
  for (let next = 0n; ; root = next) {
    next = (root + n / root) / 2n;
    if (next >= root) return root;
  }
}

/** Machin: π = 16 atan(1/5) - 4 atan(1/239). */
function arcTangentOfInverse(n: bigint): bigint {
  let power = ONE / n;
  let sum = power;
  for (let k = 1n; power !== 0n; k++) {
    power /= -(n * n);
    sum += power / (2n * k + 1n);
  }
  return sum;
}

const PI = 16n * arcTangentOfInverse(5n) - 4n * arcTangentOfInverse(239n);
const ROOT_OF_PI = rootOf(PI * ONE);

/** -log10(P(X > y)) of a standard normal X, `y` in thousandths and within 35,000. */
export function exactTailLog10(thousandths: number): number {
  // Below the mean hardly anything is missing from 1, so what is missing is what is computed.
  if (thousandths < 0) return -Math.log1p(-(10 ** -exactTailLog10(-thousandths))) / Math.LN10;
  const y = (BigInt(thousandths) * ONE) / 1_000n;
  const squared = times(y, y) / 2n; // z²
  const z = times(y, rootOf((ONE * ONE) / 2n));
  let power = z;
  let sum = z;
  for (let n = 1n; power !== 0n; n++) {
    power = -times(power, squared) / n;
    sum += power / (2n * n + 1n);
  }
  const erf = (2n * sum * ONE) / ROOT_OF_PI;
  return digitsOf((ONE - erf) / 2n);
}

/** -log10 of a number in (0, 1]: its leading zeros, and the logarithm of the rest. */
function digitsOf(part: bigint): number {
  const text = String(part);
  const leading = Number(`0.${text.slice(0, 30)}`);
  return Number(DIGITS) - text.length - Math.log10(leading);
}
