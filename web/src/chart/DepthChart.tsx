import { useEffect, useRef } from "react";
import { drawable } from "../domain/decimal";
import type { Level } from "../domain/depthBook";
import { useFeed } from "../state/feed";
import { useSettings } from "../state/settings";
import { colors } from "./colors";

const LEVELS = 200;

/** How much waits on both sides up to each price, on a canvas. */
export function DepthChart() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const book = useFeed((state) => state.book);
  const theme = useSettings((state) => state.theme);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme's colours come by CSS
  useEffect(() => {
    if (canvas.current && book) draw(canvas.current, book.bids, book.asks);
  }, [book, theme]);
  return (
    <div className="chart-area">
      <canvas ref={canvas} className="depth" role="img" aria-label="Depth of the order book" />
      {book?.bids.length === 0 && book.asks.length === 0 && (
        <p className="empty over">There is no depth to draw yet.</p>
      )}
    </div>
  );
}

function draw(canvas: HTMLCanvasElement, bids: Level[], asks: Level[]): void {
  const scale = devicePixelRatio;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  canvas.width = width * scale;
  canvas.height = height * scale;
  const context = canvas.getContext("2d");
  const [bid, ask] = [sums(bids), sums(asks)];
  const most = Math.max(bid.at(-1)?.sum ?? 0, ask.at(-1)?.sum ?? 0);
  const all = [...bid, ...ask].map((point) => point.price);
  if (!context || all.length === 0 || most === 0) return;
  const low = Math.min(...all);
  const high = Math.max(...all);
  const foot = height - 20;
  const x = (price: number) => (high === low ? width / 2 : ((price - low) / (high - low)) * width);
  const y = (sum: number) => foot - (sum / most) * (foot - 16);
  const theme = colors();
  context.scale(scale, scale);
  for (const [points, color] of [
    [bid, theme.up],
    [ask, theme.down],
  ] as const) {
    const [first] = points;
    if (!first) continue;
    context.beginPath();
    context.moveTo(x(first.price), foot);
    let level = foot;
    for (const point of points) {
      context.lineTo(x(point.price), level);
      level = y(point.sum);
      context.lineTo(x(point.price), level);
    }
    context.strokeStyle = color;
    context.lineWidth = 1.5;
    context.stroke();
    context.lineTo(x(points.at(-1)?.price ?? 0), foot);
    context.fillStyle = `${color}33`;
    context.fill();
  }
  context.fillStyle = theme.text;
  context.font = "11px system-ui, sans-serif";
  for (const [price, align] of [
    [low, "left"],
    [(low + high) / 2, "center"],
    [high, "right"],
  ] as const) {
    context.textAlign = align;
    context.fillText(price.toLocaleString("en-US"), x(price), height - 5);
  }
}

function sums(levels: Level[]) {
  let sum = 0n;
  return levels.slice(0, LEVELS).map((level) => {
    sum += level.quantity;
    return { price: drawable(level.price), sum: drawable(sum) };
  });
}
