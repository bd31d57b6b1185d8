// Shows that the core's tests notice what crash safety rests on. Each mutant leaves one write to
// shared memory out of the undo log, or swaps what a barrier of the lock keeps in order. All are in
// one build, in build/mutation; MOBULA_MUTANT chooses one. Ends with `N killed, M survived`; exits
// with 1 when one survives that is not explained below.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { root } from './toolchain.js';

/**
 * @typedef {object} Mutant
 * @property {string} place
 * @property {boolean} isOrder
 */

const folder = join(root, 'build/mutation');
const executable = join(folder, 'out/mobula_core_test');
const limitMs = 300_000;

/**
 * Survivors that change nothing, and why.
 * @type {{ places: string[], reason: string }[]}
 */
const explained = [
  {
    places: [
      'queue/post.cc: if (actor.returned == record) lock_.set(actor.returned, segment_.cell(record).prev);',
    ],
    reason:
      'who takes the call back has died, or the actor ends: the places of calls of others are the same',
  },
  {
    places: [
      'queue/peer_control.cc: lock_.set(actor->attempt, attempt);',
      'queue/peer_control.cc: lock_.set(actor->returned, kNone);',
    ],
    reason: 'no call comes back from a host while there is none, and the next host sets it',
  },
  {
    places: ['queue/peer.cc: lock.set(slot.client, client);'],
    reason: 'the fields of a free slot mean nothing, and all peers of the tests are of one process',
  },
  {
    places: [
      'queue/resources.cc: for (size_t i = 0; i < std::size(name); ++i) lock_.set(resource.name[i], name[i]);',
      'queue/peer_control.cc: lock_.set(actor.restarts, restarts);',
      'queue/peer_control.cc: lock_.set(actor.made, kNone);',
      'store/spilling.cc: lock_.set(file.writer, client_);',
    ],
    reason: 'nobody reads this field of a row that is not in use, and whoever takes it sets it',
  },
  {
    places: [
      'queue/peer.cc: lock.set(slot.idle_kind, kNone);',
      'queue/peer.cc: lock.set(slot.is_worker, 0);',
      'shm/allocator.cc: lock_.set(block.owner, kNone);',
      'queue/peer_control.cc: lock_.set(actor.returned, kNone);',
      'queue/peer_control.cc: lock_.set(actor.pending.head, kNone);',
      'queue/peer_control.cc: lock_.set(actor.pending.tail, kNone);',
      'queue/peer_control.cc: lock_.set(actor.pending.count, 0);',
      'shm/allocator.cc: lock_.set(segment_.block(index).owner, kNone);',
      'store/objects.cc: lock_.set(entry.block, kNone);',
      'store/objects.cc: lock_.set(entry.copy_file, kNone);',
      'store/spilling.cc: lock_.set(file.objects, 0);',
      'store/objects.cc: lock_.set(entry.edges, kNone);',
      'store/objects.cc: lock_.set(entry.creator, kNoClient);',
    ],
    reason: 'it is so in every free row, and a row that was never used is not read',
  },
  {
    places: [
      'shm/allocator.cc: lock_.set(block.start, 0);',
      'shm/allocator.cc: lock_.set(block.units, segment_.header().data_size / kUnit);',
      'shm/allocator.cc: lock_.set(block.prev, kNone);',
      'shm/allocator.cc: lock_.set(block.next, kNone);',
    ],
    reason: 'nobody attaches to half a store',
  },
  {
    places: [
      'queue/peer_control.cc: lock_.set(segment_.queue().driver, slot_);',
      'queue/peer_control.cc: lock_.set(segment_.queue().driver_uid, uid_);',
    ],
    reason: 'only the owner of a runtime sets them, and the runtime ends with it',
  },
  {
    places: ['shm/lock.cc: the mutex is consistent before the words are back'],
    reason: 'the next is told of the death all the same',
  },
  {
    places: [
      'store/client.cc: store_lock_.set(own.generation, generation_);',
      'store/client.cc: store_lock_.set(own.pid, port::process_id());',
      'store/client.cc: store_lock_.set(own.start_time, port::process_start_time(port::process_id()));',
      'store/client.cc: store_lock_.set(own.state, ClientState::kLive);',
    ],
    reason: 'a free slot means nothing, and one that is live for a dead process is reaped',
  },
  {
    places: [
      'queue/peer_control.cc: if (guard.status().is_ok()) lock_.set(own().is_worker, 1);',
      'queue/peer_control.cc: lock_.set(own().armed, 0);',
      'queue/peer_control.cc: lock_.set(own().armed, 1);',
      'queue/peer_control.cc: lock_.set(actor->made, attempt);',
      'queue/peer_control.cc: lock_.set(actor->restarts, restarts);',
      'store/client.cc: store_lock_.set(own.state, ClientState::kFree);',
      'store/objects.cc: void Objects::watch(uint32_t bucket) { lock_.set_bit(segment_.store().waiters[bucket], client_); }',
      'store/objects.cc: lock_.clear_bit(segment_.store().waiters[bucket], client_);',
    ],
    reason: 'the transaction is this one word',
  },
  {
    places: [
      'store/reaping.cc: for (auto& bucket : segment_->store().waiters) store_lock_.clear_bit(bucket, slot);',
    ],
    reason: 'nobody misses a wake for a client that has ended',
  },
  {
    places: ['store/objects.cc: lock_.set(segment_.block(block).last_client, client_);'],
    reason: 'a hint, and all that the tests watch is of one process',
  },
  {
    places: ['store/keeper.cc: a change rings no keeper'],
    reason: 'keepers look four times a second, and no test says how soon they must',
  },
  {
    places: [
      'queue/argument_room.cc: lock_.set(state.arguments_freed, 0);',
      'queue/argument_room.cc: if (state.argument_waiters > 0) lock_.set(state.arguments_freed, 1);',
    ],
    reason: 'keepers ring all who wait for room four times a second, too',
  },
];

/** What barriers keep in order, swapped. */
const swaps = [
  {
    place: 'shm/lock.h: an entry counts before it is written',
    file: 'shm/lock.h',
    from: '    entry.where = offset << 4 | sizeof(T);\n',
    to: '    if (MUTANT) {\n      area_->count = count + 1;\n      port::compiler_barrier();\n    }\n    entry.where = offset << 4 | sizeof(T);\n',
  },
  {
    place: 'shm/lock.h: a word is written before its entry counts',
    file: 'shm/lock.h',
    from: '    log(field);\n    port::store_word<T>(field, value);\n',
    to: '    T old = field;\n    if (MUTANT) {\n      port::store_word<T>(field, value);\n      port::compiler_barrier();\n    }\n    log(field, old);\n    port::store_word<T>(field, value);\n',
  },
  {
    place: 'shm/lock.cc: the log is emptied before the last word is written',
    file: 'shm/lock.cc',
    from: 'void Lock::empty_log() {\n  port::compiler_barrier();\n  area_->count = 0;\n',
    to: `void Lock::empty_log() {
  port::compiler_barrier();
  uint64_t last = area_->count;
  if (MUTANT && last > 0) {
    const UndoEntry& entry = area_->entries[last - 1];
    uint8_t* word = base_ + (entry.where >> 4);
    uint64_t value = 0;
    memcpy(&value, word, entry.where & 15);
    memcpy(word, &entry.old_value, entry.where & 15);
    port::compiler_barrier();
    area_->count = 0;
    port::compiler_barrier();
    memcpy(word, &value, entry.where & 15);
  }
  area_->count = 0;
`,
  },
  {
    place: 'shm/lock.cc: the mutex is free before the log is empty',
    file: 'shm/lock.cc',
    from: 'void Lock::release() {\n  commit();\n',
    to: 'void Lock::release() {\n  if (MUTANT) {\n    port::mutex_unlock(&area_->mutex);\n    commit();\n    return;\n  }\n  commit();\n',
  },
  {
    place: 'shm/lock.cc: the log is emptied before the words are back',
    file: 'shm/lock.cc',
    from: '  for (uint64_t left = area_->count; left > 0; --left) {\n',
    to: '  uint64_t entries = area_->count;\n  if (MUTANT) empty_log();\n  for (uint64_t left = entries; left > 0; --left) {\n',
  },
  {
    place: 'shm/lock.cc: words are put back first to last',
    file: 'shm/lock.cc',
    from: '    const UndoEntry& entry = area_->entries[left - 1];\n',
    to: '    const UndoEntry& entry = area_->entries[MUTANT ? entries - left : left - 1];\n',
  },
  {
    place: 'shm/lock.cc: the mutex is consistent before the words are back',
    file: 'shm/lock.cc',
    from: '  undo();\n  port::mutex_make_consistent(&area_->mutex);\n',
    to: '  if (MUTANT) port::mutex_make_consistent(&area_->mutex);\n  undo();\n  port::mutex_make_consistent(&area_->mutex);\n',
  },
  {
    place: 'store/keeper.cc: a change rings no keeper',
    file: 'store/keeper.cc',
    from: '  word.fetch_add(1);\n',
    to: '  if (MUTANT) return;\n  word.fetch_add(1);\n',
  },
];

/** @type {Mutant[]} */
const mutants = [];

/**
 * @param {string} place
 * @param {boolean} isOrder
 */
function number(place, isOrder) {
  mutants.push({ place, isOrder });
  return String(mutants.length);
}

/**
 * @param {string} text
 * @param {string} from
 * @param {string} to
 */
function replaceOne(text, from, to) {
  if (!text.includes(from)) throw new Error(`this is no longer in the source:\n${from}`);
  return text.replace(from, () => to);
}

/**
 * Gives each write through a lock a number.
 * @param {string} file
 * @param {string} text
 */
function numberWrites(file, text) {
  return text
    .split('\n')
    .map((line) =>
      line.replaceAll(
        /(lock_?|store_lock\(\))\.(set|set_both|add|subtract|set_bit|clear_bit)\(/g,
        (call) => {
          const place = `${file}: ${line.trim()}`;
          return call.replace('.', `.mutant(${number(place, false)}).`);
        },
      ),
    )
    .join('\n');
}

/** @param {string} text */
function instrumentLock(text) {
  const log = replaceOne(
    replaceOne(
      replaceOne(text, 'log(both);', 'log(both, both);'),
      '  void log(const T& field) {\n',
      '  void log(const T& field, T old) {\n    if (std::exchange(unlogged_, false)) return;\n',
    ),
    'std::memcpy(&old_value, &field, sizeof(T));',
    'std::memcpy(&old_value, &old, sizeof(T));',
  );
  const mutant =
    '  Lock& mutant(uint32_t number) {\n    unlogged_ = mutation::is(number);\n    return *this;\n  }\n';
  return replaceOne(
    replaceOne(log, ' private:\n', `${mutant}\n private:\n  bool unlogged_ = false;\n`),
    '#include "mobula/status.h"\n',
    '#include <utility>\n\n#include "mobula/status.h"\n#include "port/mutation.h"\n',
  );
}

const mutationFile = 'port/mutation.h';
const mutationHeader = `#pragma once
#include <cstdint>
#include <cstdlib>
namespace mobula::mutation {
inline const uint32_t chosen = [] {
  const char* text = std::getenv("MOBULA_MUTANT");
  return text == nullptr ? 0u : static_cast<uint32_t>(std::atoi(text));
}();
inline bool is(uint32_t number) { return number == chosen; }
}  // namespace mobula::mutation
`;

/**
 * The source of a file with all of its mutants in it.
 * @param {string} file
 */
function mutated(file) {
  let text = readFileSync(join(root, 'native', file), 'utf8');
  if (!/^(shm|store|queue)\//.test(file)) return text;
  if (!file.startsWith('shm/lock.')) text = numberWrites(file, text);
  for (const swap of swaps.filter((candidate) => candidate.file === file)) {
    const condition = `mutation::is(${number(swap.place, true)})`;
    text = replaceOne(text, swap.from, swap.to.replaceAll('MUTANT', condition));
  }
  return file === 'shm/lock.h' ? instrumentLock(text) : text;
}

/**
 * Leaves a file that is so already as it is, and needs no compiling.
 * @param {string} path
 * @param {string} text
 */
function write(path, text) {
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** @param {string} path */
function filesIn(path) {
  if (!existsSync(path)) return [];
  const entries = readdirSync(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(path, join(entry.parentPath, entry.name)))
    .sort();
}

function writeSources() {
  const to = join(folder, 'native');
  const files = filesIn(join(root, 'native'));
  for (const file of filesIn(to)) {
    if (!files.includes(file) && file !== mutationFile) rmSync(join(to, file));
  }
  for (const file of files) write(join(to, file), mutated(file));
  write(join(to, mutationFile), mutationHeader);
  write(join(folder, 'CMakeLists.txt'), readFileSync(join(root, 'CMakeLists.txt'), 'utf8'));
}

/**
 * @param {string} command
 * @param {string[]} args
 */
function run(command, args) {
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}

/**
 * Whether all of these tests pass.
 * @param {string[]} tests
 * @param {Record<string, string>} env
 */
function pass(tests, env) {
  const { status } = spawnSync(executable, tests, {
    env: { ...process.env, MOBULA_SEED: '1', ...env },
    stdio: 'ignore',
    timeout: limitMs,
    killSignal: 'SIGKILL',
  });
  return status === 0;
}

const { values, positionals } = parseArgs({
  options: { list: { type: 'boolean', default: false } },
  allowPositionals: true,
});

writeSources();
if (values.list) {
  mutants.forEach(({ place }, index) => console.log(`${String(index + 1)} ${place}`));
  process.exit();
}
const generator = [
  '-S',
  folder,
  '-B',
  join(folder, 'out'),
  '-DCMAKE_BUILD_TYPE=None',
  '-DCMAKE_CXX_FLAGS=-O1',
];
run('cmake', generator);
run('cmake', ['--build', join(folder, 'out'), '-j', '2']);

const { stdout } = spawnSync(executable, ['--list'], { encoding: 'utf8' });
const all = stdout.trim().split('\n');
/** @param {RegExp} pattern */
const named = (pattern) => all.filter((claim) => pattern.test(claim));
const quick = named(
  /can be undone|a random walk agrees|holder|put back|takes back|hears of|leave none/,
);
const sweeps = named(/^a kill while/);
const order = named(/^a kill while (unpinning|undoing a put)|^chaos/);

/**
 * @param {Mutant} mutant
 * @param {string} MOBULA_MUTANT
 */
function survivesSweeps({ isOrder }, MOBULA_MUTANT) {
  if (!isOrder) return pass(sweeps, { MOBULA_MUTANT });
  return pass(order, { MOBULA_MUTANT, MOBULA_LONG_TESTS: '1', MOBULA_CHAOS_SECONDS: '20' });
}

const chosen = positionals.length > 0 ? positionals.map(Number) : mutants.map((_, i) => i + 1);
if (!pass([...quick, ...order], {})) {
  console.error('the tests fail with no mutation at all');
  process.exit(1);
}
let killed = 0;
let unexplained = 0;
for (const chosenNumber of chosen) {
  const mutant = mutants[chosenNumber - 1];
  if (mutant === undefined) throw new RangeError(`there is no mutant ${String(chosenNumber)}`);
  const MOBULA_MUTANT = String(chosenNumber);
  const reason = explained.find(({ places }) => places.includes(mutant.place))?.reason;
  if (
    !pass(quick, { MOBULA_MUTANT }) ||
    (reason === undefined && !survivesSweeps(mutant, MOBULA_MUTANT))
  ) {
    killed += 1;
    continue;
  }
  if (reason === undefined) unexplained += 1;
  console.log(`${MOBULA_MUTANT} survived: ${mutant.place} (${reason ?? 'not explained'})`);
}
console.log(`${String(killed)} killed, ${String(chosen.length - killed)} survived`);
process.exitCode = unexplained === 0 ? 0 : 1;
