import { mapOf, orNull } from '../shape.ts';

/** Shapes of API 1.50, with the names of the definition: what many shapes have. */

export const words = orNull(['string'] as const);

export const labels = orNull(mapOf('string'));
