import { MalformedMessage, Reader, Writer, wireTypes } from './bytes.ts';

/**
 * Messages of Protocol Buffers as tables: a field's name here is ours, its number and kind are BuildKit's. Absent
 * fields have their kind's zero value (proto3); unknown ones are skipped, as every reader must.
 */
export interface Field<T> {
  readonly number: number;
  readonly wireType: number;
  /** Of an absent field. */
  empty(): T;
  /** Writes nothing for the zero value. */
  write(out: Writer, value: T): void;
  /** @param before the field's value so far: the field may stand more than once */
  read(input: Reader, before: T): T;
}

export interface Message<T> {
  encode(value: T): Buffer;
  /** Throws MalformedMessage. Byte fields are views of `bytes`. */
  decode(bytes: Uint8Array): T;
  /** A whole message of some of its fields. */
  of(fields: Partial<T>): T;
}

/** What a message of this type holds. */
export type Content<M> = M extends Message<infer T> ? T : never;

export function message<T extends object>(
  fields: {
    readonly [K in keyof T]: Field<T[K]>;
  },
): Message<T> {
  const entries = Object.entries(fields) as [keyof T, Field<unknown>][];
  const byNumber = new Map(entries.map(([name, field]) => [field.number, { name, field }]));
  const of = (some: Partial<T>): T => {
    const whole = {} as T;
    for (const [name, field] of entries) whole[name] = some[name] ?? (field.empty() as T[keyof T]);
    return whole;
  };
  return {
    of,
    encode(value) {
      const out = new Writer();
      for (const [name, field] of entries) field.write(out, value[name]);
      return out.finish();
    },
    decode(bytes) {
      const value = of({});
      const input = new Reader(bytes);
      while (!input.done) {
        const { field: number, wireType } = input.tag();
        const known = byNumber.get(number);
        if (!known) input.skip(wireType);
        else if (known.field.wireType !== wireType)
          throw new MalformedMessage(`field ${number} has wire type ${wireType}`);
        else value[known.name] = known.field.read(input, value[known.name]) as T[keyof T];
      }
      return value;
    },
  };
}

const noBytes = Buffer.alloc(0);

export function bytes(number: number): Field<Uint8Array> {
  return {
    number,
    wireType: wireTypes.bytes,
    empty: () => noBytes,
    write: (out, value) => value.length > 0 && out.bytes(number, value),
    read: (input) => input.bytes(),
  };
}

export function text(number: number): Field<string> {
  return {
    number,
    wireType: wireTypes.bytes,
    empty: () => '',
    write: (out, value) => value !== '' && out.bytes(number, Buffer.from(value)),
    read: (input) => input.bytes().toString(),
  };
}

/** Of any width up to 53 bits; enumerations too. */
export function int(number: number): Field<number> {
  return {
    number,
    wireType: wireTypes.varint,
    empty: () => 0,
    write(out, value) {
      if (value === 0) return;
      out.tag(number, wireTypes.varint);
      out.varint(value);
    },
    read: (input) => input.int(),
  };
}

/** int64 that needs all its bits: nanoseconds. */
export function long(number: number): Field<bigint> {
  return {
    number,
    wireType: wireTypes.varint,
    empty: () => 0n,
    write(out, value) {
      if (value === 0n) return;
      out.tag(number, wireTypes.varint);
      out.varint(value);
    },
    read: (input) => BigInt.asIntN(64, input.long()),
  };
}

export function flag(number: number): Field<boolean> {
  const field = int(number);
  return {
    ...field,
    empty: () => false,
    write: (out, value) => field.write(out, value ? 1 : 0),
    read: (input) => input.int() !== 0,
  };
}

export function nested<T>(number: number, type: Message<T>): Field<T | undefined> {
  return {
    number,
    wireType: wireTypes.bytes,
    empty: () => undefined,
    write: (out, value) => value !== undefined && out.bytes(number, type.encode(value)),
    read: (input) => type.decode(input.bytes()),
  };
}

/** Of texts, bytes or messages: numbers would be packed. */
export function repeated<T>(field: Field<T>): Field<NonNullable<T>[]> {
  return {
    number: field.number,
    wireType: field.wireType,
    empty: () => [],
    write(out, values) {
      for (const value of values) writeAlso(field, out, value);
    },
    read(input, before) {
      before.push(field.read(input, field.empty()) as NonNullable<T>);
      return before;
    },
  };
}

/** An element of a list stands there also when it is empty. */
function writeAlso<T>(field: Field<T>, out: Writer, value: T): void {
  if (typeof value === 'string' || value instanceof Uint8Array)
    out.bytes(field.number, typeof value === 'string' ? Buffer.from(value) : value);
  else field.write(out, value);
}

/** `map<string, V>`; the value is field 2 of its entries. */
export function map<V>(number: number, value: Field<V>): Field<Map<string, NonNullable<V>>> {
  const entry = { key: text(1), value };
  return {
    number,
    wireType: wireTypes.bytes,
    empty: () => new Map(),
    write(out, values) {
      for (const [key, item] of values) {
        const inner = new Writer();
        entry.key.write(inner, key);
        entry.value.write(inner, item);
        out.bytes(number, inner.finish());
      }
    },
    read(input, before) {
      const inner = new Reader(input.bytes());
      let key = '';
      let item = value.empty();
      while (!inner.done) {
        const { field, wireType } = inner.tag();
        if (field === 1 && wireType === entry.key.wireType) key = entry.key.read(inner, key);
        else if (field === 2 && wireType === value.wireType) item = value.read(inner, item);
        else inner.skip(wireType);
      }
      before.set(key, item as NonNullable<V>);
      return before;
    },
  };
}

const second = 1000;

/** google.protobuf.Timestamp. */
export function time(number: number): Field<Date | undefined> {
  const type = message({ seconds: int(1), nanos: int(2) });
  const field = nested(number, type);
  return {
    ...field,
    empty: () => undefined,
    write(out, value) {
      if (value === undefined) return;
      const milliseconds = value.getTime();
      const seconds = Math.floor(milliseconds / second);
      field.write(out, { seconds, nanos: Math.round((milliseconds - seconds * second) * 1e6) });
    },
    read(input) {
      const { seconds, nanos } = type.decode(input.bytes());
      return new Date(seconds * second + nanos / 1e6);
    },
  };
}
