/** An offer's form as it stands in the page: what was typed, right or wrong. */
export interface OfferFields {
  readonly name: string;
  readonly description: string;
  /** In the currency, with a point. */
  readonly price: string;
  readonly currency: string;
  readonly provider: string;
  readonly delivery: string;
  readonly position: string;
  readonly enabled: boolean;
}
