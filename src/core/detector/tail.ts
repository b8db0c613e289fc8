/**
 * The upper tail of the normal distribution, as a number of decimal digits.
 *
 * Q(y) = erfc(z) / 2 with z = y / √2. The usual way, log of 1 - erf, has no correct digit left from
 * y = 8 on and is infinite from y = 9. So the logarithm of the tail is computed without the tail:
 * ln erfc(z) = -z² - ln(√π K(z)), where K is the continued fraction 7.1.14 of Abramowitz and Stegun.
 * Their asymptotic expansion 7.1.23 would do only from z = 6: its terms get no smaller than exp(-z²).
 */
const TAIL_FROM = 2;

/** At z = 2, where it converges slowest, this leaves an error below the last digit. */
const FRACTION_DEPTH = 100;

/** -log10(P(X > y)) of a standard normal X: 0.3 at 0, rising for ever, finite for every finite y². */
export function tailLog10(y: number): number {
  const z = y / Math.SQRT2;
  if (z < 0) return -Math.log1p(-upper(-z)) / Math.LN10;
  return -logUpper(z) / Math.LN10;
}

/** P(X > z √2), z >= 0. */
const upper = (z: number): number => (z < TAIL_FROM ? (1 - erf(z)) / 2 : Math.exp(logUpper(z)));

/** Both sides of `TAIL_FROM` are right to 13 digits, so what they differ by is less than a millisecond's worth. */
const logUpper = (z: number): number =>
  z < TAIL_FROM ? Math.log(upper(z)) : -z * z - Math.log(2 * Math.sqrt(Math.PI) * fraction(z));

/** z + (1/2)/(z + (2/2)/(z + (3/2)/(z + ...))). */
function fraction(z: number): number {
  let rest = z;
  for (let n = FRACTION_DEPTH; n >= 1; n--) rest = z + n / 2 / rest;
  return rest;
}

/** 7.1.6: all of its terms are positive, so that nothing cancels. */
function erf(z: number): number {
  let term = z;
  let sum = z;
  for (let n = 1; term > sum * Number.EPSILON; n++) {
    term *= (2 * z * z) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-z * z) * sum;
}
