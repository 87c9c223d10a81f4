import type { Service } from './service.ts';

/** Loads one of the services; what it needs is loaded in the supervisor only. */
export type ServiceLoader = () => Promise<Service>;

/** All that a supervisor does for its machine, in the order of `machine doctor`. */
export const services: readonly ServiceLoader[] = [
  async () => (await import('./socket/service.ts')).socketService,
  async () => (await import('./ports/service.ts')).portsService,
  async () => (await import('./clock.ts')).clockService,
];
