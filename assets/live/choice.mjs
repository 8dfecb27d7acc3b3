/* Choice: what a component shows while its page shows one value of a field alone. It takes the part of its channel that
   has this value, where the channel is kept in parts; else it leaves out what has another one; else it shows all, and
   says so. Pure; the same for the early view and for Dash's page. */

/** What is chosen by an address, '' for nothing. */
export const chosenIn = (search, field) => new URLSearchParams(search).get(field) ?? '';

/** What a component shows with a value chosen. `declared` is the channel that its page names, `only` {field, value} what
    its rows or entries must have, `told` what it says of the choice, in two parts. */
export function chosenSpec(spec, value, all = 'all') {
  const { choice } = spec, declared = spec.channel;
  if (!choice || value === '') return { ...spec, declared, only: null, told: null };
  const { field, channel, trend, also, rows, groups } = choice, told = [field.replaceAll('_', ' '), value];
  if (channel) {
    const followed = spec.trend && trend ? { trend: { ...spec.trend, channel: `${trend}:${value}` } } : { trend: undefined };
    if (also) followed.also = also.map((one) => `${one}:${value}`);
    return { ...spec, ...followed, channel: `${channel}:${value}`, declared, only: null, told, follows: true };
  }
  if (rows) return { ...spec, declared, only: { field, value }, told, follows: true };
  if (groups) return { ...spec, declared, names: [value], only: null, told, follows: true, isWhole: true };
  return { ...spec, declared, only: null, told: ['shows', all.toLowerCase()], follows: false };
}

/** Whether a row or an entry is shown; nothing that is not there is. */
export const isChosen = (only, row) => row !== undefined && (!only || String(row[only.field]) === only.value);

/** The values to choose from: those that are known, and the chosen one, in order. */
export function valuesOf(known, value) {
  const order = new Intl.Collator('en', { numeric: true });
  return [...new Set([...known, ...(value === '' ? [] : [value])])].sort(order.compare);
}
