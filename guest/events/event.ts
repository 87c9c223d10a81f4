/** One engine event; the wire shape (`/events`) is made in the API. */
export interface EngineEvent {
  readonly type: 'container' | 'image' | 'network' | 'volume' | 'builder' | 'daemon';
  /** Docker's action word, such as `create`, `die`, `exec_start: sh`. */
  readonly action: string;
  readonly actor: { readonly id: string; readonly attributes: Readonly<Record<string, string>> };
}

export interface EventSink {
  /** Stamps the time and delivers to every subscriber; never throws. */
  publish(event: EngineEvent): void;
}
