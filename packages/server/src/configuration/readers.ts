import { ValueError } from './configuration-error.ts';

/** Turns the text of a setting into its value. */
export interface Reader<Value> {
  /** For the documentation: type, bounds and unit. */
  readonly describes: string;
  /** @throws ValueError that says what the text should be */
  read(text: string): Value;
}

/** Bounds and unit of a number. */
export interface NumberOptions {
  readonly min?: number;
  readonly max?: number;
  readonly unit?: string;
}

const int32Max = 0x7fffffff;

/** A whole number; `0x…` is allowed, as in Java's `Integer.decode`. */
export function wholeNumber(options: NumberOptions = {}): Reader<number> {
  const { min = -int32Max - 1, max = int32Max, unit } = options;
  return {
    describes: unit ?? 'number',
    read(text) {
      const value = /^[+-]?(0[xX][0-9a-fA-F]+|\d+)$/.test(text) ? parseWhole(text) : Number.NaN;
      if (value >= min && value <= max) return value;
      throw new ValueError(`must be a whole number from ${min} to ${max}`);
    },
  };
}

function parseWhole(text: string): number {
  const sign = text.startsWith('-') ? -1 : 1;
  return sign * Number(text.replace(/^[+-]/, ''));
}

/** A number with a fraction, from 0 to 1. */
export const fraction: Reader<number> = {
  describes: 'fraction',
  read(text) {
    const value = text === '' ? Number.NaN : Number(text);
    if (value >= 0 && value <= 1) return value;
    throw new ValueError('must be a number from 0 to 1');
  },
};

/** A number with a fraction, at most 1; less than 0 turns something off. */
export const fractionOrOff: Reader<number> = {
  describes: 'fraction',
  read(text) {
    const value = text === '' ? Number.NaN : Number(text);
    if (Number.isFinite(value) && value <= 1) return value;
    throw new ValueError('must be a number up to 1, or one below 0 to turn it off');
  },
};

/** `true` or `false`. */
export const trueOrFalse: Reader<boolean> = {
  describes: 'true/false',
  read(text) {
    const value = text.toLowerCase();
    if (value === 'true' || value === 'false') return value === 'true';
    throw new ValueError('must be true or false');
  },
};

/** Java compares these with one word only: `no` turns off, anything else is on. */
export const unlessNo: Reader<boolean> = {
  describes: 'yes/no',
  read: (text) => text !== 'no',
};

/** Java compares these with one word only: `yes` turns on, anything else is off. */
export const onlyYes: Reader<boolean> = {
  describes: 'yes/no',
  read: (text) => text === 'yes',
};

/** Any text. */
export const text: Reader<string> = {
  describes: 'text',
  read: (value) => value,
};

/** One of some words, each standing for a value. */
export function oneOf<Value>(values: Readonly<Record<string, Value>>): Reader<Value> {
  const words = Object.keys(values).map((word) => (word === '' ? '(empty)' : word));
  return {
    describes: words.join(', '),
    read(word) {
      const value = Object.hasOwn(values, word) ? values[word] : undefined;
      if (value !== undefined) return value;
      throw new ValueError(`must be one of ${words.join(', ')}`);
    },
  };
}

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** A time in hours, or with a unit: `ms`, `s`, `m`, `h`, `d`. The value is in ms. */
export const hoursOrInterval: Reader<number> = {
  describes: 'hours, or with ms, s, m, h, d',
  read(interval) {
    const match = /^([+-]?\d+)(ms|s|m|h|d)?$/.exec(interval.toLowerCase());
    const valueMs = Number(match?.[1] ?? Number.NaN) * (unitMs[match?.[2] ?? 'h'] ?? 0);
    if (Number.isSafeInteger(valueMs)) return valueMs;
    throw new ValueError('must be a whole number of hours, or one followed by ms, s, m, h or d');
  },
};
