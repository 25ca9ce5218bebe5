/**
 * What an election ought to do, on paper: the closed forms that the experiment is held against.
 *
 * The model is Ongaro's (thesis, chapter 9): of n servers, s are up and begin to wait at the same time; each waits for a time
 * drawn uniformly between a and a + w; every message takes the same time l; the logs are equal.
 *
 * The first of them to lose patience asks for votes. Its request reaches the others l later, so whoever loses patience within l
 * of the first is a candidate too and keeps its vote to itself; everyone else votes for the first, whose request comes first. So
 * with c candidates the first one has 1 + (s - c) votes. It needs a majority q = floor(n / 2) + 1, and the vote is
 * split exactly when c >= s - q + 2: when the (s - q + 2)th shortest wait lies within l of the shortest. The gap between the
 * shortest and the kth shortest of s uniform draws has a beta distribution with parameters k - 1 and s - k + 2, so
 *
 *   Pr(split) = I_r(s - q + 1, q),   r = l / w,
 *
 * with I the regularized incomplete beta function, which for whole parameters is the tail of a binomial distribution.
 */

/** Pr(split) for the first election after a crash; 1 where messages take as long as the waits differ. */
export function splitVoteProbability(servers: number, up: number, latencyToRange: number): number {
  const quorum = Math.floor(servers / 2) + 1;
  const spare = up - quorum;
  // Without a spare vote two candidates are one too many; without a quorum nobody can win.
  if (spare < 0) return 1;
  return incompleteBeta(Math.min(1, latencyToRange), spare + 1, quorum);
}

/** The mean shortest wait of `up` servers: the first order statistic of uniform draws. */
export function meanFirstTimeout(up: number, fromMs: number, toMs: number): number {
  return fromMs + (toMs - fromMs) / (up + 1);
}

/** I_x(a, b) for whole a and b of at least 1: the chance of at least a successes in a + b - 1 trials that succeed with x each. */
export function incompleteBeta(x: number, a: number, b: number): number {
  const trials = a + b - 1;
  let probability = 0;
  for (let successes = a; successes <= trials; successes++) {
    probability += binomial(trials, successes) * x ** successes * (1 - x) ** (trials - successes);
  }
  return probability;
}

function binomial(n: number, k: number): number {
  let value = 1;
  for (let i = 1; i <= k; i++) value = (value * (n - k + i)) / i;
  return value;
}
