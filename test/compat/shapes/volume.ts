import { orNull, type Shape } from '../shape.ts';
import { labels } from './common.ts';

/** Shapes of API 1.50, with the names of the definition: volumes. */

export const volumeShape = {
  Name: 'string',
  Driver: 'string',
  Mountpoint: 'string',
  CreatedAt: 'time',
  Labels: labels,
  Scope: 'string',
  Options: labels,
  'UsageData?': orNull({ Size: 'integer', RefCount: 'integer' }),
} satisfies Shape;
