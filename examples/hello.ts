import { actor, allocate, main, put, remote } from 'mobula';

const sum = remote((numbers: Float64Array) => numbers.reduce((total, n) => total + n, 0));
const Tally = actor(
  class {
    #total = 0;
    add(amount: number) {
      return (this.#total += amount);
    }
  },
);

main(async () => {
  const numbers = put(allocate(Float64Array, 1_000_000).fill(0.5)); // shared memory, seen by all, never copied
  const tally = Tally.remote(); // an object that lives in a worker
  tally.add(sum.remote(numbers)); // a task in another worker; its result goes straight to the actor
  const total = await tally.add(sum.remote(numbers)); // calls keep their order
  console.log(total); // 1000000
});
