import { mapOf, orNull, type Shape } from '../shape.ts';
import { labels } from './common.ts';

/** Shapes of API 1.50, with the names of the definition: networks. */

const ipam = {
  Driver: 'string',
  Options: labels,
  Config: orNull([
    {
      Subnet: 'string',
      'Gateway?': 'string',
      'IPRange?': 'string',
      'AuxiliaryAddresses?': mapOf('string'),
    },
  ]),
} satisfies Shape;

export const networkShape = {
  Name: 'string',
  Id: 'id',
  Created: 'time',
  Scope: 'string',
  Driver: 'string',
  'EnableIPv4?': 'boolean',
  EnableIPv6: 'boolean',
  IPAM: ipam,
  Internal: 'boolean',
  Attachable: 'boolean',
  Ingress: 'boolean',
  ConfigFrom: { Network: 'string' },
  ConfigOnly: 'boolean',
  'Containers?': mapOf({
    Name: 'string',
    EndpointID: 'string',
    MacAddress: 'string',
    IPv4Address: 'string',
    IPv6Address: 'string',
  }),
  Options: labels,
  Labels: labels,
} satisfies Shape;
