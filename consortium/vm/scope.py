"""What emitted code finds by name: the one table between `compile` and the functions that do the work."""

from typing import Any

from consortium.vm import arithmetic, builtins, calls, methods, store, words
from consortium.vm.annotations import DAY_COUNTS
from consortium.vm.language import BUILTINS, WORDS
from consortium.vm.machine import out_of_gas
from consortium.vm.values import DAY_COUNT_MEMBERS

# `__builtins__` is empty: there is nothing else to find.
ENGINE_SCOPE: dict[str, Any] = {
    "__builtins__": {},
    "_add": arithmetic.add,
    "_add_in_place": arithmetic.add_in_place,
    "_append": builtins.append_to,
    "_attribute": builtins.attribute,
    "_call": calls.call_contract,
    "_contains": arithmetic.contains,
    "_display": builtins.display,
    "_equal": arithmetic.equal,
    "_floor_divide": arithmetic.floor_divide,
    "_formatted": builtins.formatted,
    "_get": store.get,
    "_greater": arithmetic.greater,
    "_greater_or_equal": arithmetic.greater_or_equal,
    "_guard": calls.guard,
    "_has": store.has,
    "_item": builtins.item,
    "_less": arithmetic.less,
    "_less_or_equal": arithmetic.less_or_equal,
    "_multiply": arithmetic.multiply,
    "_negative": arithmetic.negative,
    "_not_equal": arithmetic.not_equal,
    "_out": out_of_gas,
    "_pairs": builtins.pairs_of,
    "_power": arithmetic.power,
    "_put": builtins.set_item,
    "_remainder": arithmetic.remainder,
    "_set": builtins.set_item_value_first,
    "_slice": slice,
    "_subtract": arithmetic.subtract,
    "_truth": arithmetic.truth,
    "_unpack": builtins.unpack,
    "_builtin_dict": builtins.dict_of,
    "_builtin_enumerate": builtins.enumerate_of,
    "_builtin_int": builtins.int_of,
    "_builtin_len": builtins.length,
    "_builtin_list": builtins.list_of,
    "_builtin_max": builtins.max_of,
    "_builtin_min": builtins.min_of,
    "_builtin_range": builtins.range_of,
    "_builtin_sorted": builtins.sorted_of,
    "_builtin_str": builtins.text_from,
    "_builtin_sum": builtins.sum_of,
    "_builtin_zip": builtins.zip_of,
    "_word_access_bank": words.access_bank,
    "_word_add_banking_days": words.add_banking_days,
    "_word_banking_day": words.banking_day,
    "_word_before_cut_off": words.before_cut_off,
    "_word_caller": words.caller,
    "_word_distribute": builtins.distributed,
    "_word_emit": words.emit,
    "_word_fail": words.fail,
    "_word_is_bank": words.is_bank,
    "_word_is_banking_day": words.is_banking_day,
    "_word_is_company": words.is_company,
    "_word_own_id": words.own_id,
    "_word_sender": words.sender,
    "_word_signers": words.signers,
    "_word_today": words.today,
    "_word_total": words.total,
    "_word_value_day": words.value_day,
    **{f"_method_{name}": method for name, method in methods.METHODS.items()},
    **{f"_daycount_{name}": DAY_COUNT_MEMBERS[name] for name in DAY_COUNTS},
}
# `require`, `money`, `rate` and `day` have no function: the compiler writes them out.
_WRITTEN_OUT = {"require", "money", "rate", "day"}
assert all(f"_builtin_{name}" in ENGINE_SCOPE for name in BUILTINS)
assert all(f"_word_{name}" in ENGINE_SCOPE for name in WORDS if name not in _WRITTEN_OUT)
