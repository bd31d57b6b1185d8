#ifndef MOBULA_TEST_COSTS_H_
#define MOBULA_TEST_COSTS_H_

namespace mobula::test {

// Prints the compiler, then a line for each operation that users call most: its name, the machine
// instructions and the allocations that one execution takes once it is warm, with tabs between. The
// figures do not depend on time, and hardly on the run: the operation's thread is executed one
// instruction at a time, all others stopped. Returns the exit code of the process.
int print_costs();

}  // namespace mobula::test

#endif  // MOBULA_TEST_COSTS_H_
