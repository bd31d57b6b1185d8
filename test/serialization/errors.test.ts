import test from 'ava';
import { Codec, roundTrip, roundTripInline } from './internals.js';

test('an error keeps message, stack, cause and own properties', (t) => {
  const cause = { code: 7 };
  const error = Object.assign(new Error('broken', { cause }), { code: 'E_BROKEN', details: [1] });
  const copy = roundTrip(error);
  t.true(copy instanceof Error);
  t.is(copy.message, 'broken');
  t.is(copy.stack, error.stack);
  t.deepEqual(copy.cause, cause);
  t.is(copy.code, 'E_BROKEN');
  t.deepEqual(copy.details, [1]);
  t.deepEqual(Object.keys(copy), ['code', 'details']);
});

test('built-in errors come back as instances of their class', (t) => {
  for (const errorClass of [
    EvalError,
    RangeError,
    ReferenceError,
    SyntaxError,
    TypeError,
    URIError,
  ]) {
    const copy = roundTripInline(new errorClass('m'));
    t.true(copy instanceof errorClass);
    t.is(copy.constructor, errorClass);
    t.is(copy.name, errorClass.name);
    t.false(Object.hasOwn(copy, 'name'));
  }
});

test('an AggregateError keeps its errors, each of its class', (t) => {
  const copy = roundTrip(new AggregateError([new TypeError('a'), 'b'], 'both'));
  t.true(copy instanceof AggregateError);
  t.is(copy.message, 'both');
  t.true(copy.errors[0] instanceof TypeError);
  t.is(copy.errors[1], 'b');
  t.deepEqual(Object.keys(copy), []);
});

test('an error of an unknown class is an Error with its name', (t) => {
  class QuotaError extends RangeError {
    override name = 'QuotaError';
    readonly limit = 10;
  }
  const copy: Error = roundTrip(new QuotaError('too much'));
  t.is(Object.getPrototypeOf(copy), Error.prototype);
  t.is(copy.name, 'QuotaError');
  t.is(Reflect.get(copy, 'limit'), 10);
});

test('a name that lives on the prototype is kept, and not enumerable', (t) => {
  class QuotaError extends Error {}
  Object.defineProperty(QuotaError.prototype, 'name', { value: 'QuotaError' });
  const copy = roundTrip<Error>(new QuotaError('too much'));
  t.is(copy.name, 'QuotaError');
  t.deepEqual(Object.keys(copy), []);
});

test('errors that Node throws come back as the built-in they are', (t) => {
  const error = t.throws(() => Buffer.alloc(-1));
  const copy = roundTrip(error);
  t.true(copy instanceof RangeError);
  t.is((copy as NodeJS.ErrnoException).code, 'ERR_OUT_OF_RANGE');
});

test('a class that the hook knows is revived without running its constructor', (t) => {
  let constructed = 0;
  class QuotaError extends Error {
    readonly limit: number;
    constructor(limit: number) {
      super(`limit ${String(limit)}`);
      constructed++;
      this.limit = limit;
    }
    get half(): number {
      return this.limit / 2;
    }
  }
  const codec = new Codec({
    resolveErrorClass: (name) => (name === 'QuotaError' ? QuotaError : undefined),
  });
  const copy = roundTrip(new QuotaError(10), codec);
  t.true(copy instanceof QuotaError);
  t.is(copy.half, 5);
  t.is(constructed, 1);
});

test('a DOMException comes back as one, an AbortError included', (t) => {
  const controller = new AbortController();
  controller.abort();
  const reason = controller.signal.reason as DOMException;
  const copy = roundTrip(reason);
  t.true(copy instanceof DOMException);
  t.is(copy.name, 'AbortError');
  t.is(copy.message, reason.message);
  t.is(copy.code, 20);
  t.is(copy.stack, reason.stack);
});

test('an error that is its own cause stays one', (t) => {
  const error = new Error('self');
  error.cause = error;
  const copy = roundTrip(error);
  t.is(copy.cause, copy);
});

test('an error without a message of its own does not get one', (t) => {
  t.false(Object.hasOwn(roundTrip(new Error()), 'message'));
});
