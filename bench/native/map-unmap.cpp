// SPDX-License-Identifier: GPL-2.0-only
//
// The native rival of map + unmap: areas in a std::map by their last address, under one mutex, each with its pages object, by
// malloc. It times map + unmap of one page in rounds, as program.c does its operations.
//
// usage: map-unmap-native AREAS ROUNDS OPERATIONS
// prints {"ns": [nanoseconds per operation, by round], "sum": [how many operations did what they should, by round]}
//
// What is simplified makes it faster: no ioctl and no struct to check, no file and no object to lock, no reserved or allowed set,
// nobody has to survive a thread that dies. The places are those of bench/map-unmap.bench.ts.

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <new>
#include <vector>

namespace {

constexpr uint64_t PAGE = 4096;
constexpr uint64_t STRIDE = 1 << 22;
constexpr uint64_t HOLE = 1 << 21;

struct pages {
	uint64_t start, length;
	uint32_t users, flags;
};

struct area {
	uint64_t first;
	struct pages *pages;
};

class address_space {
public:
	int map(uint64_t first, uint64_t length, uint64_t user)
	{
		std::lock_guard<std::mutex> guard(lock_);
		const uint64_t last = first + length - 1;
		const auto met = areas_.lower_bound(first);

		if (last < first)
			return -EOVERFLOW;
		if (met != areas_.end() && met->second.first <= last)
			return -EEXIST;
		areas_.emplace_hint(met, last, area{ first, new pages{ user, length, 1, 0 } });
		return 0;
	}

	/* What lies in the range; what sticks out of it ends the search. */
	int unmap(uint64_t first, uint64_t length)
	{
		std::lock_guard<std::mutex> guard(lock_);
		const uint64_t last = first + length - 1;
		auto at = areas_.lower_bound(first);
		bool found = false;

		while (at != areas_.end() && at->second.first <= last) {
			if (at->second.first < first || at->first > last)
				return -ENOENT;
			if (--at->second.pages->users == 0)
				delete at->second.pages;
			at = areas_.erase(at);
			found = true;
		}
		return found ? 0 : -ENOENT;
	}

private:
	std::map<uint64_t, area> areas_;
	std::mutex lock_;
};

uint64_t base_of(uint64_t index)
{
	return (index + 1) * STRIDE;
}

} // namespace

int main(int count, char **words)
{
	const uint64_t areas = count > 1 ? std::strtoull(words[1], nullptr, 10) : 0;
	const long rounds = count > 2 ? std::atol(words[2]) : 0;
	const long operations = count > 3 ? std::atol(words[3]) : 0;

	if (areas < 1 || rounds < 1 || operations < 1) {
		std::fprintf(stderr, "usage: map-unmap-native AREAS ROUNDS OPERATIONS\n");
		return 2;
	}
	address_space space;
	for (uint64_t made = 0; made < areas; made++)
		if (space.map(base_of(made * 61803 % areas), PAGE, HOLE) != 0)
			return 1;
	std::vector<uint64_t> places;
	uint32_t state = 1;
	for (long made = 0; made < operations; made++) {
		state = state * 1664525u + 1013904223u;
		places.push_back(base_of(static_cast<uint64_t>(state / 4294967296.0 * areas)) + HOLE);
	}
	std::vector<double> ns;
	std::vector<uint64_t> sums;
	/* Two rounds are not timed: they bring caches and branch predictors to where they stay. */
	for (long round = -2; round < rounds; round++) {
		uint64_t sum = 0;
		const auto begin = std::chrono::steady_clock::now();
		for (const uint64_t place : places)
			sum += space.map(place, PAGE, HOLE) == 0 && space.unmap(place, PAGE) == 0;
		const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - begin;
		if (round < 0)
			continue;
		ns.push_back(time.count() / operations);
		sums.push_back(sum);
	}
	std::printf("{\"ns\": [");
	for (size_t at = 0; at < ns.size(); at++)
		std::printf("%s%.4f", at ? ", " : "", ns[at]);
	std::printf("], \"sum\": [");
	for (size_t at = 0; at < sums.size(); at++)
		std::printf("%s%llu", at ? ", " : "", static_cast<unsigned long long>(sums[at]));
	std::printf("]}\n");
	return 0;
}
