// Reference platform's flow for k6: ten users place limit orders on a random market and side, and
// pause for 50 to 70 ms after each answer.
//
//     k6 run -e URL=http://127.0.0.1:3001 tests/load/orders.js
//
// A 503 says that the platform refused more than it can take: it is counted apart.
import { check, sleep } from "k6";
import http from "k6/http";
import { Counter } from "k6/metrics";

const URL = __ENV.URL || "http://127.0.0.1:3001";
const MID = 1000;
const STEPS = 20;
const UNITS = 10;

const refused = new Counter("orders_refused");

export const options = {
  vus: Number(__ENV.USERS || 10),
  duration: __ENV.DURATION || "30s",
  thresholds: {
    checks: ["rate>0.99"],
    http_req_duration: ["p(99)<500"],
  },
};

export function setup() {
  return http.get(`${URL}/markets`).json().map((market) => market.tradingPair);
}

function between(low, high) {
  return low + Math.floor(Math.random() * (high - low + 1));
}

export default function (pairs) {
  const order = {
    tradingPair: pairs[between(0, pairs.length - 1)],
    type: Math.random() < 0.5 ? "BUY" : "SELL",
    price: String(MID + between(-STEPS, STEPS)),
    quantity: (between(1, UNITS) / 100).toFixed(2),
    userId: 1,
  };
  const answer = http.post(`${URL}/orders`, JSON.stringify(order), {
    headers: { "Content-Type": "application/json" },
  });
  if (answer.status === 503) {
    refused.add(1);
  }
  check(answer, { accepted: (response) => response.status === 201 });
  sleep(between(50, 70) / 1000);
}
